//! The load's own time: one reading of the wall clock at the start, monotonic time ever after.
//!
//! The witnesses of a test must not share a clock with what they judge, and must not be fooled when
//! the wall clock jumps; so both are read together.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A duration in milliseconds, exact to the microsecond: more is noise, and does not survive JSON.
pub(crate) fn in_ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

/// Tells moments since it was started.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
    started_at: Timestamp,
}

/// A moment, both as time since the start (monotonic) and as wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Moment {
    pub since_start_ms: f64,
    pub at: Timestamp,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at: Timestamp::now(),
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn now(&self) -> Moment {
        self.moment(Instant::now())
    }

    pub fn moment(&self, instant: Instant) -> Moment {
        let since = instant.saturating_duration_since(self.started);
        let at = SignedDuration::try_from(since)
            .ok()
            .and_then(|since| self.started_at.checked_add(since).ok())
            .unwrap_or(Timestamp::MAX);
        Moment {
            since_start_ms: in_ms(since),
            at,
        }
    }
}
