//! The longest times in which a client that wanted to write had no acknowledged write.
//!
//! A gap runs from one acknowledgement to the next of the *same* client, so it holds whatever the
//! client went through in between: a held statement, an error, a reconnect. A gap that is still open
//! when the load stops counts too: else a database that never came back would look perfect.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::stopwatch::{Moment, Stopwatch, in_ms};

const KEPT: usize = 5;

/// One silence between two acknowledged writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    pub client: String,
    pub ms: f64,
    /// The acknowledgement before the silence.
    pub began: Moment,
}

/// The clients that are watched, and the worst gaps so far, longest first.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    lanes: Vec<Lane>,
    worst: Vec<Gap>,
}

#[derive(Debug)]
struct Lane {
    client: String,
    last: Option<Instant>,
}

/// A watched client's place in [`Gaps`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneId(usize);

impl Gaps {
    pub(crate) fn join(&mut self, client: &str) -> LaneId {
        self.lanes.push(Lane {
            client: client.to_owned(),
            last: None,
        });
        LaneId(self.lanes.len() - 1)
    }

    pub(crate) fn acknowledged(&mut self, lane: LaneId, now: Instant, stopwatch: &Stopwatch) {
        self.end_gap(lane, now, stopwatch);
        self.lanes[lane.0].last = Some(now);
    }

    /// The client leaves: what it waited until now is its last gap.
    pub(crate) fn leave(&mut self, lane: LaneId, now: Instant, stopwatch: &Stopwatch) {
        self.end_gap(lane, now, stopwatch);
        self.lanes[lane.0].last = None;
    }

    pub(crate) fn worst(&self) -> &[Gap] {
        &self.worst
    }

    /// What was measured until now no longer counts; a gap that is open now counts from now on.
    pub(crate) fn begin_anew(&mut self, now: Instant) {
        self.worst.clear();
        for lane in &mut self.lanes {
            lane.last = lane.last.map(|_| now);
        }
    }

    pub(crate) fn longest_ms(&self) -> f64 {
        self.worst.first().map_or(0.0, |gap| gap.ms)
    }

    /// How long the client that waits longest has been waiting now.
    pub(crate) fn running_ms(&self, now: Instant) -> f64 {
        let oldest = self.lanes.iter().filter_map(|lane| lane.last).min();
        oldest.map_or(0.0, |last| ms(last, now))
    }

    fn end_gap(&mut self, lane: LaneId, now: Instant, stopwatch: &Stopwatch) {
        let lane = &self.lanes[lane.0];
        let Some(last) = lane.last else { return };
        let ms = ms(last, now);
        let place = self.worst.partition_point(|gap| gap.ms >= ms);
        if place < KEPT {
            let gap = Gap {
                client: lane.client.clone(),
                ms,
                began: stopwatch.moment(last),
            };
            self.worst.insert(place, gap);
            self.worst.truncate(KEPT);
        }
    }
}

fn ms(from: Instant, to: Instant) -> f64 {
    in_ms(to.saturating_duration_since(from))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_five_longest_gaps_are_kept_longest_first() {
        let stopwatch = Stopwatch::start();
        let mut gaps = Gaps::default();
        let lane = gaps.join("a");
        let mut now = Instant::now();
        gaps.acknowledged(lane, now, &stopwatch);
        for wait in [3, 9, 1, 7, 5, 2, 8] {
            now += Duration::from_millis(wait);
            gaps.acknowledged(lane, now, &stopwatch);
        }
        let kept: Vec<u64> = gaps
            .worst()
            .iter()
            .map(|gap| gap.ms.round() as u64)
            .collect();
        assert_eq!(kept, [9, 8, 7, 5, 3]);
    }

    #[test]
    fn a_measurement_begun_anew_forgets_what_was_before() {
        let stopwatch = Stopwatch::start();
        let mut gaps = Gaps::default();
        let lane = gaps.join("a");
        let start = Instant::now();
        gaps.acknowledged(lane, start, &stopwatch);
        let anew = start + Duration::from_secs(5);
        gaps.begin_anew(anew);
        gaps.acknowledged(lane, anew + Duration::from_secs(1), &stopwatch);
        assert!((gaps.longest_ms() - 1000.0).abs() < 1.0);
    }

    #[test]
    fn a_silence_that_lasts_to_the_end_is_a_gap() {
        let stopwatch = Stopwatch::start();
        let mut gaps = Gaps::default();
        let (busy, silent) = (gaps.join("busy"), gaps.join("silent"));
        let start = Instant::now();
        gaps.acknowledged(busy, start, &stopwatch);
        gaps.acknowledged(silent, start, &stopwatch);
        let end = start + Duration::from_secs(2);
        gaps.acknowledged(busy, end, &stopwatch);
        assert!((gaps.running_ms(end) - 2000.0).abs() < 1.0);
        gaps.leave(silent, end + Duration::from_secs(1), &stopwatch);
        assert_eq!(gaps.worst()[0].client, "silent");
        assert!((gaps.longest_ms() - 3000.0).abs() < 1.0);
    }
}
