//! What the observer saw, and whether two servers ever reigned at the same time.
//!
//! The commit of a write lies somewhere between its two moments. Two writes are in order only if
//! one ended before the other began; what cannot be ordered is never held against anybody.

use serde::{Deserialize, Serialize};

use crate::load::Moment;

/// One write that a server acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    pub server: String,
    pub timeline: u32,
    /// Just before it was tried.
    pub began: Moment,
    /// Just after its commit was acknowledged.
    pub ended: Moment,
}

/// All acknowledged writes of one server on one timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reign {
    pub server: String,
    pub timeline: u32,
    pub first: Write,
    pub last: Write,
    pub writes: u64,
}

/// Two reigns of which the second did not strictly follow the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    pub earlier: Reign,
    pub later: Reign,
    pub why: String,
}

/// Everything that was seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sightings {
    pub reigns: Vec<Reign>,
    pub writes: u64,
    /// Tries that a server answered with "read-only".
    pub read_only: u64,
    pub unreachable: u64,
    /// Writes given up without an answer: the server may have committed them later.
    pub unknown: u64,
}

/// The outcome of one try.
pub(super) enum Note {
    Accepted(Write),
    ReadOnly,
    Unreachable,
    Unknown,
}

impl Sightings {
    pub(super) fn note(&mut self, note: Note) {
        match note {
            Note::Accepted(write) => self.accepted(write),
            Note::ReadOnly => self.read_only += 1,
            Note::Unreachable => self.unreachable += 1,
            Note::Unknown => self.unknown += 1,
        }
    }

    fn accepted(&mut self, write: Write) {
        self.writes += 1;
        let same =
            |reign: &&mut Reign| reign.server == write.server && reign.timeline == write.timeline;
        // Each server is watched by one task, so its writes come in order.
        if let Some(reign) = self.reigns.iter_mut().find(same) {
            reign.last = write;
            reign.writes += 1;
            return;
        }
        self.reigns.push(Reign {
            server: write.server.clone(),
            timeline: write.timeline,
            first: write.clone(),
            last: write,
            writes: 1,
        });
    }

    /// Every pair of reigns that were not strictly one after the other. Empty means: at any time
    /// at most one server accepted commits, and none did after its successor.
    pub fn overlaps(&self) -> Vec<Overlap> {
        let mut reigns: Vec<&Reign> = self.reigns.iter().collect();
        reigns.sort_by(|a, b| {
            a.first
                .ended
                .since_start_ms
                .total_cmp(&b.first.ended.since_start_ms)
        });
        let mut overlaps = Vec::new();
        for (place, earlier) in reigns.iter().enumerate() {
            for later in &reigns[place + 1..] {
                if let Some(why) = conflict(earlier, later) {
                    let (earlier, later) = ((*earlier).clone(), (*later).clone());
                    overlaps.push(Overlap {
                        earlier,
                        later,
                        why: why.to_owned(),
                    });
                }
            }
        }
        overlaps
    }
}

/// `later` began second. Why that is wrong, if it is.
fn conflict(earlier: &Reign, later: &Reign) -> Option<&'static str> {
    if before(&later.first, &earlier.last) {
        return Some("the earlier one accepted a commit after the later one's first");
    }
    if later.timeline < earlier.timeline {
        return Some("the later one accepted a commit on an older timeline");
    }
    if later.timeline == earlier.timeline {
        return Some("both accepted commits on the same timeline");
    }
    None
}

fn before(one: &Write, other: &Write) -> bool {
    one.ended < other.began
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn moment(ms: i64) -> Moment {
        let at = Timestamp::from_millisecond(ms).expect("in range");
        Moment {
            since_start_ms: ms as f64,
            at,
        }
    }

    fn seen(writes: &[(&str, u32, i64, i64)]) -> Sightings {
        let mut sightings = Sightings::default();
        for (server, timeline, began, ended) in writes {
            sightings.note(Note::Accepted(Write {
                server: (*server).to_owned(),
                timeline: *timeline,
                began: moment(*began),
                ended: moment(*ended),
            }));
        }
        sightings
    }

    #[test]
    fn a_strict_handoff_and_a_return_on_a_newer_timeline_are_no_overlap() {
        let there = [
            ("a", 1, 0, 1),
            ("a", 1, 20, 21),
            ("b", 2, 40, 41),
            ("b", 2, 60, 61),
        ];
        assert_eq!(seen(&there).overlaps(), []);
        let back = [there.as_slice(), &[("a", 3, 80, 81), ("a", 3, 100, 101)]].concat();
        assert_eq!(seen(&back).overlaps(), []);
    }

    #[test]
    fn one_commit_of_the_old_server_after_the_first_of_the_new_is_an_overlap() {
        let writes = [("a", 1, 0, 1), ("b", 2, 20, 21), ("a", 1, 40, 41)];
        let overlaps = seen(&writes).overlaps();
        assert_eq!(overlaps.len(), 1);
        assert_eq!(
            (&*overlaps[0].earlier.server, &*overlaps[0].later.server),
            ("a", "b")
        );
    }

    #[test]
    fn an_old_server_that_comes_back_on_its_old_timeline_is_an_overlap() {
        let writes = [("b", 2, 20, 21), ("a", 1, 40, 41)];
        assert_eq!(seen(&writes).overlaps().len(), 1);
    }

    #[test]
    fn two_servers_on_one_timeline_are_an_overlap_even_one_after_the_other() {
        let writes = [("b", 2, 20, 21), ("c", 2, 40, 41)];
        assert_eq!(seen(&writes).overlaps().len(), 1);
    }

    #[test]
    fn writes_that_cannot_be_ordered_are_held_against_nobody() {
        let writes = [("a", 1, 0, 30), ("b", 2, 20, 50)];
        assert_eq!(seen(&writes).overlaps(), []);
    }
}
