//! What earlier runs tell, and what they do not.

use super::*;

const GB: u64 = 1 << 30;

fn past(size_bytes: u64, preparing_ms: f64, gap_ms: Option<f64>) -> Past {
    Past {
        size_bytes: Some(size_bytes),
        took: Took {
            preparing_ms: Some(preparing_ms),
            run_ms: 2_000.0,
        },
        felt: Some(Felt {
            longest_write_gap_ms: gap_ms,
            held_ms: 100.0,
            ..Felt::default()
        }),
    }
}

#[test]
fn nothing_is_forecast_where_nothing_has_run() {
    assert_eq!(forecast(Some(GB), &[], &[]), None);
}

#[test]
fn a_database_goes_by_its_own_runs_and_by_their_median() {
    let own = [
        past(GB, 9_000.0, Some(140.0)),
        past(GB, 10_000.0, None),
        past(GB, 90_000.0, Some(160.0)),
    ];
    let forecast = forecast(Some(GB), &own, &[past(GB, 1.0, Some(1.0))]).unwrap();
    assert_eq!(
        forecast,
        Forecast {
            preparing_ms: Some(10_000.0),
            run_ms: 2_000.0,
            held_ms: Some(100.0),
            write_gap_ms: Some(150.0),
            because: "as the last 3 runs of this database".to_owned(),
        }
    );
}

#[test]
fn what_has_grown_takes_longer_to_copy_and_what_has_shrunk_is_not_trusted_to_be_quicker() {
    let own = [past(GB, 10_000.0, None)];
    let preparing = |size| forecast(size, &own, &[]).unwrap().preparing_ms;
    assert_eq!(preparing(Some(3 * GB)), Some(30_000.0));
    assert_eq!(preparing(Some(GB / 3)), Some(10_000.0));
    assert_eq!(preparing(None), Some(10_000.0));
}

#[test]
fn without_own_runs_the_nearest_in_size_of_the_others_tell() {
    let mut others = vec![past(100 * GB, 900_000.0, Some(900.0)); 20];
    others.push(past(GB, 10_000.0, Some(150.0)));
    // Of sizes that nobody has written down.
    others.extend(vec![Past::default(); 3]);
    others.extend(vec![past(2 * GB, 20_000.0, Some(170.0)); 4]);
    let forecast = forecast(Some(GB), &[], &others).unwrap();
    assert_eq!(forecast.preparing_ms, Some(20_000.0));
    assert_eq!(forecast.write_gap_ms, Some(170.0));
    assert_eq!(
        forecast.because,
        "as 5 runs of other databases, those nearest in size"
    );
}

#[test]
fn people_read_it_no_more_exactly_than_it_is() {
    let mut forecast = forecast(None, &[past(GB, 754_321.0, None)], &[]).unwrap();
    let says = "preparing about 13 min, then about 2 s; statements wait for about 100 ms (as the last run of this database)";
    assert_eq!(forecast.to_string(), says);
    forecast.preparing_ms = None;
    forecast.held_ms = None;
    forecast.run_ms = 3.0 * 3_600_000.0;
    let says = "about 3 h (as the last run of this database)";
    assert_eq!(forecast.to_string(), says);
}

#[test]
fn a_single_run_is_called_one() {
    let one = [past(GB, 1.0, None)];
    let because = |own: &[Past], others: &[Past]| forecast(None, own, others).unwrap().because;
    assert_eq!(because(&one, &[]), "as the last run of this database");
    assert_eq!(because(&[], &one), "as the run of another database");
}

#[test]
fn waiting_for_the_window_is_not_work() {
    let steps = |names: &[(&str, f64)]| {
        let all = names.iter();
        all.map(|(name, ms)| ((*name).to_owned(), *ms)).collect()
    };
    let changeover = steps(&[
        ("check", 5.0),
        ("base_backup", 70.0),
        ("catch_up", 5.0),
        ("await_window", 1e9),
        ("hold", 10.0),
        ("release", 2.0),
    ]);
    let expected = Took {
        preparing_ms: Some(80.0),
        run_ms: 12.0,
    };
    assert_eq!(Took::of(&changeover), expected);
    let restart = steps(&[("check", 5.0), ("stop", 70.0)]);
    let expected = Took {
        preparing_ms: None,
        run_ms: 75.0,
    };
    assert_eq!(Took::of(&restart), expected);
}
