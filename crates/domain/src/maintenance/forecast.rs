//! Forecast: how long a maintenance will take, and what its clients will feel of it, as earlier runs by the same
//! method tell. Pure, and humble: what no run tells is not forecast.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hold::Felt;
use crate::procedure::Steps;
use crate::procedure::changeover::{PREPARING, Step};

/// So many earlier runs tell.
pub const RUNS_LOOKED_AT: usize = 5;

/// A run that came to a good end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Of its database when it was begun.
    pub size_bytes: Option<u64>,
    pub took: Took,
    pub felt: Option<Felt>,
}

/// How long it took, in milliseconds. Waiting for the window is not work, and in neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Took {
    /// What may be done before the window: a replacement is built and follows. None where nothing is built.
    pub preparing_ms: Option<f64>,
    /// All the rest.
    pub run_ms: f64,
}

/// In milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub preparing_ms: Option<f64>,
    pub run_ms: f64,
    /// How long clients are held.
    pub held_ms: Option<f64>,
    pub write_gap_ms: Option<f64>,
    /// Whose runs tell.
    pub because: String,
}

impl Took {
    /// From the time by step.
    pub fn of(steps_ms: &BTreeMap<String, f64>) -> Self {
        let is_preparing = |name: &str| PREPARING.iter().any(|step| step.spec().name == name);
        let builds = steps_ms.contains_key(Step::BaseBackup.spec().name);
        let mut took = Self::default();
        for (name, ms) in steps_ms {
            if builds && is_preparing(name) {
                *took.preparing_ms.get_or_insert_default() += ms;
            } else if name != Step::AwaitWindow.spec().name {
                took.run_ms += ms;
            }
        }
        took
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(preparing) = self.preparing_ms {
            write!(f, "preparing {}, then ", about(preparing))?;
        }
        f.write_str(&about(self.run_ms))?;
        if let Some(held) = self.held_ms {
            write!(f, "; statements wait for {}", about(held))?;
        }
        write!(f, " ({})", self.because)
    }
}

/// No more exact than a forecast can be.
fn about(ms: f64) -> String {
    let seconds = (ms / 1_000.0).round() as u64;
    match seconds {
        _ if ms < 1_000.0 => format!("about {ms:.0} ms"),
        0..120 => format!("about {seconds} s"),
        120..7_200 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {} h", seconds.div_ceil(3_600)),
    }
}

/// Of a database of that size: as its own earlier runs by the same method, or else as those of others here that are
/// nearest in size.
pub fn forecast(size_bytes: Option<u64>, own: &[Past], others: &[Past]) -> Option<Forecast> {
    let nearest = nearest(size_bytes, if own.is_empty() { others } else { own });
    let median_of = |value: &dyn Fn(&Past) -> Option<f64>| {
        median(nearest.iter().filter_map(|past| value(past)).collect())
    };
    Some(Forecast {
        preparing_ms: median_of(&|past| Some(past.took.preparing_ms? * growth(size_bytes, past))),
        run_ms: median_of(&|past| Some(past.took.run_ms))?,
        held_ms: median_of(&|past| Some(past.felt.as_ref()?.held_ms)),
        write_gap_ms: median_of(&|past| past.felt.as_ref()?.longest_write_gap_ms),
        because: match (own.is_empty(), nearest.len()) {
            (false, 1) => "as the last run of this database".to_owned(),
            (false, count) => format!("as the last {count} runs of this database"),
            (true, 1) => "as the run of another database".to_owned(),
            (true, count) => {
                let known = size_bytes.is_some() && nearest.iter().any(|p| p.size_bytes.is_some());
                let which = if known { ", those nearest in size" } else { "" };
                format!("as {count} runs of other databases{which}")
            }
        },
    })
}

/// Those whose size is not known come last; of equals the first.
fn nearest(size_bytes: Option<u64>, pasts: &[Past]) -> Vec<&Past> {
    let apart = |past: &Past| {
        let (size, then) = size_bytes.zip(past.size_bytes)?;
        Some((size.max(1) as f64 / then.max(1) as f64).ln().abs())
    };
    let mut all: Vec<_> = pasts.iter().collect();
    all.sort_by(|a, b| {
        let of = |past| apart(past).unwrap_or(f64::INFINITY);
        of(a).total_cmp(&of(b))
    });
    all.truncate(RUNS_LOOKED_AT);
    all
}

/// What is larger by now takes longer to copy. What is smaller may not be quicker: some of the time is spent whatever
/// the size.
fn growth(size_bytes: Option<u64>, past: &Past) -> f64 {
    let sizes = size_bytes.zip(past.size_bytes.filter(|size| *size > 0));
    sizes.map_or(1.0, |(now, then)| (now as f64 / then as f64).max(1.0))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests;
