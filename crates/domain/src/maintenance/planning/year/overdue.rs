//! What is not done when it is required: only for a cause that nobody who plans could have helped.

use jiff::Timestamp;

use super::fleet::{Database, Fleet};
use super::weather::Weather;
use crate::maintenance::turn::expected_of;
use crate::maintenance::window::LENGTH;
use crate::maintenance::{Interval, Policy, freeze};
use crate::plan::Plans;

/// How many are overdue for what happened in the last window that could have been theirs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overdue {
    pub(super) server_was_away: u32,
    pub(super) clock_was_wrong: u32,
    pub(super) frozen: u32,
    pub(super) rolled_back: u32,
    /// As many as may went on.
    pub(super) crowded: u32,
    /// No window ends between the day on which it was known and the one by which it is required.
    pub(super) without_window: u32,
}

enum Excuse {
    ServerWasAway,
    ClockWasWrong,
    Frozen,
    RolledBack,
    Crowded,
}

pub(super) struct Judge<'a> {
    pub(super) weather: &'a Weather,
    pub(super) plans: &'a Plans,
    pub(super) policy: &'a Policy,
}

impl Overdue {
    /// Counts those that are newly overdue.
    pub(super) fn look(&mut self, judge: &Judge<'_>, fleet: &mut Fleet, now: Timestamp) {
        for at in 0..fleet.databases.len() {
            let memory = &fleet.databases[at].memory;
            let required_by = memory.required.map(|(required_by, _)| required_by);
            if required_by < Some(now) && required_by.is_some() && memory.overdue != required_by {
                let excuse = judge.last_excuse(fleet, &fleet.databases[at]);
                self.count(excuse);
                fleet.databases[at].memory.overdue = required_by;
            }
        }
    }

    fn count(&mut self, excuse: Option<Excuse>) {
        *match excuse {
            Some(Excuse::ServerWasAway) => &mut self.server_was_away,
            Some(Excuse::ClockWasWrong) => &mut self.clock_was_wrong,
            Some(Excuse::Frozen) => &mut self.frozen,
            Some(Excuse::RolledBack) => &mut self.rolled_back,
            Some(Excuse::Crowded) => &mut self.crowded,
            None => &mut self.without_window,
        } += 1;
    }
}

impl Judge<'_> {
    /// There is one for each opening in which it could have been done.
    fn last_excuse(&self, fleet: &Fleet, database: &Database) -> Option<Excuse> {
        let (required_by, known_at) = database.memory.required.expect("it is required");
        let possible = self.possible(database, known_at, required_by);
        let mut last = None;
        for opening in possible {
            let excuse = self.excuse(fleet, database, opening);
            assert!(
                excuse.is_some(),
                "it could have been done in {opening:?}, required by {required_by}, known since {known_at}: {:?}",
                database.standing
            );
            last = excuse;
        }
        last
    }

    /// The openings in time that leave people the whole notice; without any, the last one in time.
    fn possible(
        &self,
        database: &Database,
        known_at: Timestamp,
        required_by: Timestamp,
    ) -> Vec<Interval> {
        let plan = self.plans.find(&database.standing.plan).unwrap();
        let window = database.standing.window(plan);
        let openings = window.openings(known_at);
        let in_time: Vec<_> = openings
            .take_while(|opening| opening.to <= required_by)
            .collect();
        let noticed = known_at + self.policy.notice(plan);
        let first = in_time.partition_point(|opening| opening.from < noticed);
        match &in_time[first..] {
            [] => in_time.last().copied().into_iter().collect(),
            with_notice => with_notice.to_vec(),
        }
    }

    fn excuse(&self, fleet: &Fleet, database: &Database, opening: Interval) -> Option<Excuse> {
        let longest = database.standing.longest;
        let from = opening.from - expected_of(longest.preparing);
        let until = from + (LENGTH - expected_of(longest.run));
        let was_there = from <= until && fleet.there.range(from..=until).next().is_some();
        if database.memory.tried_in.contains(&opening.from) {
            Some(Excuse::RolledBack)
        } else if freeze::is_frozen(&database.standing.freezes, opening).is_some() {
            Some(Excuse::Frozen)
        } else if !was_there {
            Some(Excuse::ServerWasAway)
        } else if self.weather.clock_was_wrong_in(opening) {
            Some(Excuse::ClockWasWrong)
        } else {
            let waited = database.memory.waited_in.contains(&opening.from);
            waited.then_some(Excuse::Crowded)
        }
    }
}
