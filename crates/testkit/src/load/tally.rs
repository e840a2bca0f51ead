//! The one place where all clients of the load count what happened to them.
//!
//! It judges nothing: [`super::verdict`] does. The first failures are kept in full, the rest is
//! only counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::gaps::{Gap, Gaps, LaneId};
use super::stopwatch::{Moment, Stopwatch};
use super::trouble::Trouble;

const FAILURES_KEPT: usize = 20;

/// One thing an application would have noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub client: String,
    /// What the client tried, in words.
    pub tried: String,
    pub sqlstate: Option<String>,
    pub message: String,
    pub when: Moment,
}

/// The counters of a moment: for a live view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub elapsed_ms: u64,
    pub sessions_open: u64,
    pub statements_failed: u64,
    pub connections_dropped: u64,
    pub connections_refused: u64,
    pub commits_acknowledged: u64,
    pub transactions: u64,
    pub notifications_sent: u64,
    pub notifications_received: u64,
    pub longest_write_gap_ms: f64,
    /// How long the ledger client that waits longest has been waiting now.
    pub current_write_gap_ms: f64,
    pub failures: Vec<Failure>,
}

/// Which of the two writing loads acknowledged a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writer {
    Ledger(LaneId),
    Tpcb(LaneId),
}

#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) stopwatch: Stopwatch,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    so_far: Snapshot,
    ledger: Gaps,
    tpcb: Gaps,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            stopwatch: Stopwatch::start(),
            counts: Mutex::default(),
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let counts = self.counts();
        Snapshot {
            elapsed_ms: self.stopwatch.elapsed().as_millis() as u64,
            longest_write_gap_ms: counts.ledger.longest_ms(),
            current_write_gap_ms: counts.ledger.running_ms(Instant::now()),
            ..counts.so_far.clone()
        }
    }

    pub(crate) fn ledger_gaps(&self) -> Vec<Gap> {
        self.counts().ledger.worst().to_vec()
    }

    pub(crate) fn tpcb_longest_gap_ms(&self) -> f64 {
        self.counts().tpcb.longest_ms()
    }

    pub(crate) fn join_ledger(&self, client: &str) -> Writer {
        Writer::Ledger(self.counts().ledger.join(client))
    }

    pub(crate) fn join_tpcb(&self) -> Writer {
        Writer::Tpcb(self.counts().tpcb.join("all TPC-B writers"))
    }

    pub(crate) fn acknowledged(&self, writer: Writer) {
        let now = Instant::now();
        let mut counts = self.counts();
        match writer {
            Writer::Ledger(lane) => {
                counts.so_far.commits_acknowledged += 1;
                counts.ledger.acknowledged(lane, now, &self.stopwatch);
            }
            Writer::Tpcb(lane) => {
                counts.so_far.transactions += 1;
                counts.tpcb.acknowledged(lane, now, &self.stopwatch);
            }
        }
    }

    pub(crate) fn leave(&self, writer: Writer) {
        let now = Instant::now();
        let mut counts = self.counts();
        match writer {
            Writer::Ledger(lane) => counts.ledger.leave(lane, now, &self.stopwatch),
            Writer::Tpcb(lane) => counts.tpcb.leave(lane, now, &self.stopwatch),
        }
    }

    pub(crate) fn begin_gaps_anew(&self) {
        let now = Instant::now();
        let mut counts = self.counts();
        counts.ledger.begin_anew(now);
        counts.tpcb.begin_anew(now);
    }

    pub(crate) fn statement_failed(&self, client: &str, tried: &str, trouble: &Trouble) {
        let mut counts = self.counts();
        counts.so_far.statements_failed += 1;
        self.keep(&mut counts, client, tried, trouble);
    }

    pub(crate) fn connection_dropped(&self, client: &str, trouble: &Trouble) {
        let mut counts = self.counts();
        counts.so_far.connections_dropped += 1;
        self.keep(&mut counts, client, "stay connected", trouble);
    }

    pub(crate) fn connection_refused(&self, client: &str, trouble: &Trouble) {
        let mut counts = self.counts();
        counts.so_far.connections_refused += 1;
        self.keep(&mut counts, client, "connect", trouble);
    }

    pub(crate) fn session_opened(&self) {
        self.counts().so_far.sessions_open += 1;
    }

    pub(crate) fn session_closed(&self) {
        self.counts().so_far.sessions_open -= 1;
    }

    pub(crate) fn notification_sent(&self) {
        self.counts().so_far.notifications_sent += 1;
    }

    pub(crate) fn notification_received(&self) {
        self.counts().so_far.notifications_received += 1;
    }

    fn keep(&self, counts: &mut Counts, client: &str, tried: &str, trouble: &Trouble) {
        if counts.so_far.failures.len() < FAILURES_KEPT {
            counts.so_far.failures.push(Failure {
                client: client.to_owned(),
                tried: tried.to_owned(),
                sqlstate: trouble.sqlstate().map(str::to_owned),
                message: trouble.to_string(),
                when: self.stopwatch.now(),
            });
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
