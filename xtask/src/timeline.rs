//! Which part of a maintenance a write gap fell into, by what its command line said at the time.
//!
//! The talk arrives a little late, so this serves to find out what to improve; no verdict depends
//! on it.

use serde::Serialize;
use upkeep_testkit::load::Gap;

/// The steps in which clients are held count as one.
const SWITCH: &str = "switch";
const SWITCH_BEGINS: &str = "hold";
/// What follows the release, by method.
const SWITCH_ENDS: [&str; 2] = ["end_old", "prove"];
const TALK_IS_LATE_MS: f64 = 100.0;

/// When each step was first heard of, in the load's own time.
#[derive(Debug, Default)]
pub(crate) struct Timeline(Vec<(f64, String)>);

/// A write gap of the clients, longest first in a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct PlacedGap {
    pub(crate) ms: f64,
    pub(crate) client: String,
    /// `switch`, another step, `before` or `after`.
    pub(crate) during: String,
}

impl Timeline {
    /// Lines of talk begin with the step they are about; others say nothing here.
    pub(crate) fn heard(&mut self, line: &str, elapsed_ms: u64) {
        let Some(step) = line.split_whitespace().next() else {
            return;
        };
        let is_step = step
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if is_step && self.0.last().is_none_or(|(_, last)| last != step) {
            self.0.push((elapsed_ms as f64, step.to_owned()));
        }
    }

    /// The command has ended.
    pub(crate) fn ended(&mut self, elapsed_ms: u64) {
        self.0.push((elapsed_ms as f64, "after".to_owned()));
    }

    pub(crate) fn place(&self, gaps: &[Gap]) -> Vec<PlacedGap> {
        let placed = |gap: &Gap| PlacedGap {
            ms: gap.ms,
            client: gap.client.clone(),
            during: self.during(gap).to_owned(),
        };
        gaps.iter().map(placed).collect()
    }

    fn during(&self, gap: &Gap) -> &str {
        let (from, to) = (gap.began.since_start_ms, gap.began.since_start_ms + gap.ms);
        let heard_of = |wanted: &str| {
            let mut found = self.0.iter().filter(|(_, step)| step == wanted);
            found.next_back().map(|(ms, _)| *ms)
        };
        let ends = SWITCH_ENDS.into_iter().find_map(heard_of);
        let switch = heard_of(SWITCH_BEGINS).zip(ends);
        if switch.is_some_and(|(begins, ends)| to > begins - TALK_IS_LATE_MS && from < ends) {
            return SWITCH;
        }
        let middle = f64::midpoint(from, to);
        let mut begun = self.0.iter().filter(|(ms, _)| *ms <= middle);
        begun.next_back().map_or("before", |(_, step)| step)
    }
}

/// The longest gap of the switch; `None` if it is not among the longest of all.
pub(crate) fn switch_gap_ms(gaps: &[PlacedGap]) -> Option<f64> {
    let mut of_switch = gaps.iter().filter(|gap| gap.during == SWITCH);
    of_switch.next().map(|gap| gap.ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(since_start_ms: f64, ms: f64) -> Gap {
        let stopwatch = upkeep_testkit::load::Stopwatch::start();
        let began = upkeep_testkit::load::Moment {
            since_start_ms,
            ..stopwatch.now()
        };
        Gap {
            client: "ledger-1".to_owned(),
            ms,
            began,
        }
    }

    #[test]
    fn a_gap_belongs_to_the_step_that_ran_and_the_held_steps_are_one() {
        let mut timeline = Timeline::default();
        let heard = [
            ("Triggering maintenance... done", 900),
            ("base_backup      Copying the database", 1_000),
            ("base_backup      done in 1.0 s", 2_000),
            ("hold             Holding every session", 3_000),
            ("promote          Promoting", 3_050),
            ("end_old          Ending", 3_200),
        ];
        for (line, ms) in heard {
            timeline.heard(line, ms);
        }
        timeline.ended(4_000);
        let gaps = [
            gap(2_950.0, 90.0),
            gap(1_100.0, 50.0),
            gap(100.0, 5.0),
            gap(5_000.0, 4.0),
        ];
        let placed = timeline.place(&gaps);
        let during: Vec<&str> = placed.iter().map(|gap| gap.during.as_str()).collect();
        assert_eq!(during, ["switch", "base_backup", "before", "after"]);
        assert_eq!(switch_gap_ms(&placed), Some(90.0));
        assert_eq!(switch_gap_ms(&placed[1..]), None);
    }
}
