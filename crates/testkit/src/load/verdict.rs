//! What clients felt during a run of the load, and whether the promise was held: no dropped
//! connection, no failed statement, no lost commit.
//!
//! How long a write gap may be is no part of the promise: it is measured, and shown.

use serde::{Deserialize, Serialize};

use super::gaps::Gap;
use super::special::{Heard, SpecialSession};
use super::tally::Failure;

/// The whole result of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub elapsed_ms: u64,
    pub statements_failed: u64,
    pub connections_dropped: u64,
    /// Attempts to connect that failed.
    pub connections_refused: u64,
    /// Of the ledger clients.
    pub commits_acknowledged: u64,
    pub commits_found: u64,
    pub commits_lost: u64,
    /// Sent, but never answered: stored or not, both are right.
    pub commits_unknown: u64,
    pub commits_unknown_found: u64,
    /// Stored although refused or never sent.
    pub commits_unexpected: u64,
    /// Of the ledger clients; `gaps` says when and whose.
    pub longest_write_gap_ms: f64,
    pub gaps: Vec<Gap>,
    pub tpcb: Option<Tpcb>,
    pub special: Vec<SpecialSession>,
    pub notifications: Option<Notifications>,
    /// The first ones; the counters above count all.
    pub failures: Vec<Failure>,
    /// Why the stored rows could not be compared with the acknowledged ones.
    pub audit_failed: Option<String>,
}

/// The TPC-B writers' part of the result.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tpcb {
    /// Acknowledged ones.
    pub transactions: u64,
    pub tps: f64,
    /// Over all writers together.
    pub longest_gap_ms: f64,
    /// Acknowledged, but without their row in the history.
    pub lost: u64,
    /// Whether accounts, tellers, branches and history sum up to the same.
    pub sums_agree: bool,
}

/// What became of the numbered notifications.
pub type Notifications = Heard;

impl Report {
    pub fn promise_held(&self) -> bool {
        self.broken().is_empty()
    }

    /// Each way in which the promise was broken, in words; empty if it was held.
    pub fn broken(&self) -> Vec<String> {
        let counted = [
            (self.statements_failed, "statements failed"),
            (self.connections_dropped, "connections dropped"),
            (self.connections_refused, "attempts to connect failed"),
            (self.commits_lost, "acknowledged commits lost"),
            (
                self.commits_unexpected,
                "rows stored that nobody may have stored",
            ),
            (
                self.tpcb.as_ref().map_or(0, |tpcb| tpcb.lost),
                "TPC-B transactions lost",
            ),
            (
                self.notifications.map_or(0, |heard| heard.missing),
                "notifications missing",
            ),
            (
                self.notifications.map_or(0, |heard| heard.doubled),
                "notifications doubled",
            ),
        ];
        let counted = counted.iter().filter(|(count, _)| *count > 0);
        let mut broken: Vec<String> = counted
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if self.tpcb.as_ref().is_some_and(|tpcb| !tpcb.sums_agree) {
            broken.push("TPC-B sums disagree".to_owned());
        }
        let lost_state = self.special.iter().filter(|session| !session.kept);
        broken.extend(lost_state.map(|session| format!("{}: {}", session.name, session.note)));
        if let Some(why) = &self.audit_failed {
            broken.push(format!("not audited: {why}"));
        }
        let transactions = self.tpcb.as_ref().map_or(0, |tpcb| tpcb.transactions);
        if self.commits_acknowledged == 0 && transactions == 0 {
            broken.push("nothing was ever committed".to_owned());
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_that_committed_nothing_holds_no_promise() {
        assert!(!Report::default().promise_held());
        assert!(
            Report {
                commits_acknowledged: 1,
                ..Report::default()
            }
            .promise_held()
        );
    }

    #[test]
    fn every_kind_of_breach_is_named() {
        let report = Report {
            statements_failed: 2,
            commits_lost: 1,
            tpcb: Some(Tpcb {
                transactions: 9,
                sums_agree: false,
                ..Tpcb::default()
            }),
            special: vec![SpecialSession {
                name: "listener".to_owned(),
                kept: false,
                note: "gone".to_owned(),
            }],
            ..Report::default()
        };
        let expected = [
            "2 statements failed",
            "1 acknowledged commits lost",
            "TPC-B sums disagree",
            "listener: gone",
        ];
        assert_eq!(report.broken(), expected);
    }
}
