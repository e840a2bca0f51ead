//! What a row of maintenances comes to.

use std::fmt;

use serde::Serialize;

use crate::figures::{Spread, count, megabytes, millis};
use crate::stage::Method;
use crate::timeline::PlacedGap;

/// One maintenance and the floor measured after it.
#[derive(Debug, Serialize)]
pub(super) struct Sample {
    /// By the clients' own ledgers, over the whole maintenance.
    pub(super) write_gap_ms: f64,
    /// Of the switch alone, if it is among the longest.
    pub(super) switch_gap_ms: Option<f64>,
    pub(super) gaps: Vec<PlacedGap>,
    pub(super) floor_ms: f64,
    pub(super) held_ms: Option<f64>,
    pub(super) endpoint_gap_ms: Option<f64>,
    pub(super) tps: f64,
    pub(super) commits_acknowledged: u64,
    pub(super) commits_lost: u64,
    pub(super) statements_failed: u64,
    pub(super) connections_dropped: u64,
    /// In which ways the promise was, in words.
    pub(super) broken: Vec<String>,
    pub(super) steps_ms: Vec<(String, f64)>,
}

pub(super) struct Summary {
    method: Method,
    scale: u32,
    tps_wanted: f64,
    pub(super) size_bytes: u64,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, Serialize)]
pub(super) struct Figures<'a> {
    method: &'static str,
    #[serde(skip)]
    floor_is: &'static str,
    cores: usize,
    runs: usize,
    scale: u32,
    tps_wanted: f64,
    size_bytes: u64,
    write_gap_ms: Option<Spread>,
    /// Of the switch alone, in the runs in which it is among the longest gaps.
    switch_gap_ms: Option<Spread>,
    floor_ms: Option<Spread>,
    /// Of the medians.
    ratio: Option<f64>,
    held_ms: Option<Spread>,
    endpoint_gap_ms: Option<Spread>,
    /// Medians.
    steps_ms: serde_json::Map<String, serde_json::Value>,
    /// The same in the order in which the steps ran, which a JSON object does not promise.
    steps: Vec<(String, f64)>,
    promise_held: bool,
    commits_acknowledged: u64,
    commits_lost: u64,
    statements_failed: u64,
    connections_dropped: u64,
    samples: &'a [Sample],
}

impl Summary {
    pub(super) fn new(method: Method, scale: u32, tps_wanted: f64) -> Self {
        Self {
            method,
            scale,
            tps_wanted,
            size_bytes: 0,
            samples: Vec::new(),
        }
    }

    /// In every run, and there was one.
    pub(super) fn promise_held(&self) -> bool {
        !self.samples.is_empty() && self.samples.iter().all(|sample| sample.broken.is_empty())
    }

    pub(super) fn figures(&self) -> Figures<'_> {
        let spread = |of: fn(&Sample) -> Option<f64>| {
            Spread::of(&self.samples.iter().filter_map(of).collect::<Vec<_>>())
        };
        let sum = |of: fn(&Sample) -> u64| self.samples.iter().map(of).sum();
        let write_gap_ms = spread(|sample| Some(sample.write_gap_ms));
        let floor_ms = spread(|sample| Some(sample.floor_ms));
        let steps = self.steps();
        let steps_ms = steps.iter().map(|(step, ms)| (step.clone(), (*ms).into()));
        Figures {
            method: self.method.as_str(),
            floor_is: match self.method {
                Method::Changeover | Method::Failover => "floor: promotion alone",
                Method::Restart => "floor: stop and start",
            },
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            runs: self.samples.len(),
            scale: self.scale,
            tps_wanted: self.tps_wanted,
            size_bytes: self.size_bytes,
            write_gap_ms,
            switch_gap_ms: spread(|sample| sample.switch_gap_ms),
            floor_ms,
            ratio: write_gap_ms
                .zip(floor_ms)
                .map(|(gap, floor)| gap.median / floor.median),
            held_ms: spread(|sample| sample.held_ms),
            endpoint_gap_ms: spread(|sample| sample.endpoint_gap_ms),
            steps_ms: steps_ms.collect(),
            steps,
            promise_held: self.promise_held(),
            commits_acknowledged: sum(|sample| sample.commits_acknowledged),
            commits_lost: sum(|sample| sample.commits_lost),
            statements_failed: sum(|sample| sample.statements_failed),
            connections_dropped: sum(|sample| sample.connections_dropped),
            samples: &self.samples,
        }
    }

    /// Median by step, in the order of the first run.
    fn steps(&self) -> Vec<(String, f64)> {
        let Some(first) = self.samples.first() else {
            return vec![];
        };
        let of_step = |step: &String| {
            let all = self.samples.iter().flat_map(|sample| &sample.steps_ms);
            let times: Vec<f64> = all
                .filter(|(name, _)| name == step)
                .map(|(_, ms)| *ms)
                .collect();
            Some((step.clone(), Spread::of(&times)?.median))
        };
        first
            .steps_ms
            .iter()
            .filter_map(|(step, _)| of_step(step))
            .collect()
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (runs, cores, size) = (self.runs, self.cores, megabytes(self.size_bytes));
        writeln!(
            f,
            "{runs} {}s of {size}, {:.0} tps and a ledger, {cores} cores",
            self.method, self.tps_wanted
        )?;
        writeln!(f, "  {:<22} {:>9} {:>9} {:>9}", "", "median", "p95", "max")?;
        let rows = [
            ("write gap, by clients", self.write_gap_ms),
            ("  in the switch", self.switch_gap_ms),
            ("  by the endpoint", self.endpoint_gap_ms),
            ("held", self.held_ms),
            (self.floor_is, self.floor_ms),
        ];
        for (name, spread) in rows {
            let Some(Spread { median, p95, max }) = spread else {
                continue;
            };
            let [median, p95, max] = [median, p95, max].map(millis);
            writeln!(f, "  {name:<22} {median:>9} {p95:>9} {max:>9}")?;
        }
        if let Some(ratio) = self.ratio {
            writeln!(f, "  write gap / floor      {ratio:>9.2}")?;
        }
        writeln!(
            f,
            "  statements failed {}, connections dropped {}, commits lost {} of {}",
            self.statements_failed,
            self.connections_dropped,
            self.commits_lost,
            count(self.commits_acknowledged)
        )?;
        writeln!(f, "  median by step:")?;
        for (step, ms) in &self.steps {
            writeln!(f, "    {:>9} {step}", millis(*ms))?;
        }
        let mut broken = self.samples.iter().flat_map(|sample| &sample.broken);
        broken.try_for_each(|breach| writeln!(f, "  BROKEN: {breach}"))
    }
}
