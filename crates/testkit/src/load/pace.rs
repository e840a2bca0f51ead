//! A closed loop at a target rate: the next statement starts a period after the last one *began*,
//! or at once if the last one took longer. Lost time is never caught up with a burst.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

pub(crate) struct Pace(Option<Interval>);

impl Pace {
    /// `per_second` of `None` is as fast as the answers come.
    pub(crate) fn new(per_second: Option<f64>) -> Self {
        let period = per_second.filter(|rate| *rate > 0.0).map(|rate| 1.0 / rate);
        Self(period.map(|seconds| {
            let mut ticks = interval(Duration::from_secs_f64(seconds.max(0.000_001)));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        }))
    }

    pub(crate) async fn next(&mut self) {
        if let Some(ticks) = &mut self.0 {
            ticks.tick().await;
        }
    }
}
