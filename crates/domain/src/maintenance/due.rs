//! What is due for a database: all reasons for which it has to be maintained, made into one piece of work.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::method::Cause;
use super::reason::Kind;
use super::{Policy, Reason};

/// A reason, and when it was first known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub reason: Reason,
    pub since: Timestamp,
}

/// Displays as one sentence of all reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The most urgent one first; never empty.
    reasons: Vec<Reason>,
    pub required_by: Timestamp,
}

impl Due {
    /// One piece of work for all that was found, to be done before the first of them is required; `None` if
    /// nothing was found.
    pub fn merge(found: impl IntoIterator<Item = Found>, policy: &Policy) -> Option<Self> {
        let found = found.into_iter();
        let mut dated: Vec<(Timestamp, Reason)> = found
            .map(|Found { reason, since }| (policy.required_by(&reason, since), reason))
            .collect();
        dated.sort_by_key(|(required_by, reason)| (*required_by, reason.kind()));
        let required_by = dated.first()?.0;
        Some(Self {
            reasons: dated.into_iter().map(|(_, reason)| reason).collect(),
            required_by,
        })
    }

    /// What rows and Heroku's JSON name it by: the most urgent of its reasons.
    pub fn kind(&self) -> Kind {
        self.reasons[0].kind()
    }

    /// What the method has to bring about: the least that is enough for every reason.
    pub fn cause(&self) -> Cause {
        let causes = self.reasons.iter().map(Reason::cause);
        causes.reduce(stronger).unwrap_or(Cause::SameRelease)
    }
}

/// One that brings about what the other would, too.
fn stronger(one: Cause, other: Cause) -> Cause {
    match (one, other) {
        (Cause::WaitingSettings(mut names), Cause::WaitingSettings(more)) => {
            let new = more.into_iter().filter(|name| !names.contains(name));
            let new: Vec<String> = new.collect();
            names.extend(new);
            Cause::WaitingSettings(names)
        }
        (one, other) if strength(&one) >= strength(&other) => one,
        (_, other) => other,
    }
}

fn strength(cause: &Cause) -> u8 {
    match cause {
        Cause::SameRelease => 0,
        Cause::Certificate => 1,
        Cause::WaitingSettings(_) => 2,
        Cause::LeavesHost => 3,
        Cause::NewRelease => 4,
    }
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, reason) in self.reasons.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maintenance::method::{Facts, Method, choose};
    use crate::release::Version;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn found(reason: Reason, since: &str) -> Found {
        Found {
            reason,
            since: at(since),
        }
    }

    fn release(since: &str) -> Found {
        let to = Version::new(15, 20);
        found(Reason::SecurityRelease { to }, since)
    }

    fn settings(names: &[&str], since: &str) -> Found {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        found(Reason::WaitingSettings { names }, since)
    }

    fn routine(since: &str) -> Found {
        let last_at = at("2028-10-03T00:00:00Z");
        found(Reason::Routine { last_at }, since)
    }

    fn merged(found: Vec<Found>) -> Due {
        Due::merge(found, &Policy::defaults()).unwrap()
    }

    fn method(cause: Cause) -> (Method, String) {
        let facts = Facts {
            database: "postgresql-calm-1",
            is_ha: false,
            has_ready_standby: false,
            follows: None,
            cause,
        };
        let choice = choose(&facts, None).unwrap();
        (choice.method, choice.because)
    }

    #[test]
    fn nothing_found_is_nothing_due() {
        assert_eq!(Due::merge([], &Policy::defaults()), None);
    }

    #[test]
    fn the_most_urgent_reason_says_by_when_and_leads_the_sentence() {
        let due = merged(vec![
            routine("2029-01-01T00:00:00Z"),
            settings(&["shared_buffers"], "2028-12-20T00:00:00Z"),
            release("2029-01-04T00:00:00Z"),
        ]);
        assert_eq!(due.required_by, at("2029-01-18T00:00:00Z"));
        assert_eq!(due.kind().as_str(), "security_release");
        assert_eq!(
            due.to_string(),
            "PostgreSQL 15.20 closes security holes; shared_buffers waits for a restart; it has not been maintained since 2028-10-03"
        );
        // An old wish is more urgent than a new hole.
        let due = merged(vec![
            release("2029-01-04T00:00:00Z"),
            settings(&["a", "b"], "2028-12-01T00:00:00Z"),
        ]);
        assert_eq!(due.required_by, at("2028-12-31T00:00:00Z"));
        assert_eq!(
            due.to_string(),
            "a, b wait for a restart; PostgreSQL 15.20 closes security holes"
        );
    }

    #[test]
    fn the_method_is_enough_for_every_reason() {
        let since = "2029-01-01T00:00:00Z";
        let certificate = || found(Reason::Certificate { ends_at: at(since) }, since);
        let drain = || {
            found(
                Reason::HostDrain {
                    because: "disks".to_owned(),
                },
                since,
            )
        };
        for (reasons, expected, word) in [
            (
                vec![routine(since)],
                Method::Restart,
                "the release stays the same",
            ),
            (
                vec![routine(since), certificate()],
                Method::Restart,
                "certificate",
            ),
            (
                vec![certificate(), settings(&["a"], since)],
                Method::Restart,
                "a waits",
            ),
            (
                vec![settings(&["a", "b"], since), settings(&["b", "c"], since)],
                Method::Restart,
                "a, b, c wait",
            ),
            (
                vec![settings(&["a"], since), drain()],
                Method::Changeover,
                "a replacement",
            ),
            (
                vec![release(since), settings(&["a"], since)],
                Method::Changeover,
                "a replacement",
            ),
        ] {
            let (method, because) = method(merged(reasons).cause());
            assert_eq!(method, expected, "{because}");
            assert!(because.contains(word), "{because}");
        }
    }

    #[test]
    fn every_reason_has_a_sentence_and_survives_its_row() {
        let because = || "a reason".to_owned();
        let day = at("2029-01-01T00:00:00Z");
        for (reason, told) in [
            (
                Reason::MinorRelease {
                    to: Version::new(17, 12),
                },
                "PostgreSQL 17.12 mends what was wrong before",
            ),
            (
                Reason::WithdrawnRelease {
                    version: Version::new(17, 1),
                    because: because(),
                },
                "PostgreSQL 17.1 is not to be used: a reason",
            ),
            (
                Reason::EndOfLife {
                    major: 14,
                    from: "2026-11-12".parse().unwrap(),
                },
                "PostgreSQL 14 is not mended any more from 2026-11-12 on",
            ),
            (
                Reason::Certificate { ends_at: day },
                "its certificate ends on 2029-01-01",
            ),
            (
                Reason::HostReboot { because: because() },
                "its host has to be rebooted: a reason",
            ),
            (
                Reason::HostDrain { because: because() },
                "its host is to be emptied: a reason",
            ),
            (
                Reason::Requested {
                    by: "ama@example.com".to_owned(),
                    because: because(),
                },
                "ama@example.com wants it: a reason",
            ),
            (
                Reason::Emergency {
                    by: "ama@example.com".to_owned(),
                    because: because(),
                },
                "ama@example.com wants it at once: a reason",
            ),
        ] {
            assert_eq!(reason.to_string(), told);
            let found = Found { reason, since: day };
            let row = serde_json::to_value(&found).unwrap();
            assert_eq!(serde_json::from_value::<Found>(row).unwrap(), found);
        }
    }
}
