//! Measured durations: milliseconds to people and in JSON, whole microseconds inside.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Millis {
    pub micros: u64,
}

impl From<f64> for Millis {
    fn from(ms: f64) -> Self {
        Self {
            micros: (ms * 1000.0).round() as u64,
        }
    }
}

impl From<Millis> for f64 {
    fn from(ms: Millis) -> Self {
        ms.micros as f64 / 1000.0
    }
}
