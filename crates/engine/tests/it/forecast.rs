//! What is forecast of a run, and kept with it.

use upkeep_engine::request::RunMaintenance;

use crate::preflight::Play;
use crate::stage::Ended;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_forecast_as_the_earlier_ones_by_its_method_went() {
    let play = Play::begin().await;
    let restart = || RunMaintenance {
        method: Some("restart".to_owned()),
        ..play.request(&[])
    };
    let (ended, first) = play.run(restart()).await;
    assert_eq!((ended, first.forecast), (Ended::Succeeded, None));
    let (_, second) = play.run(restart()).await;
    let forecast = second.forecast.expect("there is an earlier one");
    assert_eq!(forecast.because, "as the last run of this database");
    assert_eq!(forecast.preparing_ms, None);
    let took: f64 = first.steps_ms.expect("it is done").values().sum();
    assert!((forecast.run_ms - took).abs() < 1.0, "{forecast:?} {took}");
    let (_, changeover) = play.run(play.request(&[])).await;
    assert_eq!(changeover.forecast, None);
}
