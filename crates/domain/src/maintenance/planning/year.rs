//! A year of a fleet, simulated: releases arrive, servers are away, clocks jump, runs fail, people freeze and are in
//! a hurry. Planning and turns are the real ones; what hosts and rows do is played in `fleet`.
//!
//! Another year is played with `UPKEEP_YEAR_SEED`.

mod fleet;
mod overdue;
mod promises;
mod weather;

use std::env;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use super::{Decision, Planning};
use crate::maintenance::Policy;
use crate::maintenance::turn::Verdict;
use crate::notice::Kind;
use crate::plan::Plans;
use crate::release::Catalogue;
use fleet::{Database, Ended, Fleet};
use overdue::{Judge, Overdue};
use weather::{TICKS, TICKS_OF_A_DAY, Weather};

/// As many as a policy allows.
const RUNS_AT_ONCE: u32 = 64;

/// Between what happens, only what falls due by itself is found so.
const LOOK_AT_ALL_EVERY: u32 = 2 * TICKS_OF_A_DAY;

/// What a year came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sum {
    /// Of all that happened, in its order.
    trace: u64,
    succeeded: u32,
    rolled_back: u32,
    missed: u32,
    emergencies: u32,
    overdue: Overdue,
    /// So many times one had to wait for the turn of others.
    waited: u32,
}

struct Year {
    weather: Weather,
    fleet: Fleet,
    policy: Policy,
    plans: Plans,
    catalogue: Catalogue,
    random: fastrand::Rng,
    trace: DefaultHasher,
    sum: Sum,
    /// Looked at again when the server looks next.
    unsettled: Vec<usize>,
    /// All are looked at.
    all_unsettled: bool,
}

fn play(seed: u64, databases: usize) -> Sum {
    let mut random = fastrand::Rng::with_seed(seed);
    let weather = Weather::draw(&mut random);
    let fleet = Fleet::draw(&mut random, databases, weather::start());
    let policy = format!("runs_at_once = {RUNS_AT_ONCE}");
    let mut year = Year {
        weather,
        fleet,
        policy: Policy::read(&policy).unwrap(),
        plans: Plans::defaults(),
        catalogue: Catalogue::default(),
        random,
        trace: DefaultHasher::new(),
        sum: Sum::default(),
        unsettled: Vec::new(),
        all_unsettled: true,
    };
    for tick in 0..TICKS {
        year.tick(tick);
    }
    year.sum.trace = year.trace.finish();
    year.sum
}

impl Year {
    fn tick(&mut self, tick: u32) {
        self.people_act(tick);
        if self.weather.server_is_away(tick) {
            self.fleet.runs_are_delayed();
            self.all_unsettled = true;
            return;
        }
        let now = self.weather.clock(tick);
        self.fleet.server_was_there(now);
        self.end_runs(tick, now);
        if self.all_unsettled || tick.is_multiple_of(LOOK_AT_ALL_EVERY) {
            (0..self.fleet.databases.len()).for_each(|at| self.plan(at, now));
            self.all_unsettled = false;
            let judge = Judge {
                weather: &self.weather,
                plans: &self.plans,
                policy: &self.policy,
            };
            self.sum.overdue.look(&judge, &mut self.fleet, now);
        }
        for at in std::mem::take(&mut self.unsettled) {
            self.plan(at, now);
        }
        self.begin_what_is_due(tick, now);
        self.go_on_with_what_is_ready(tick, now);
    }

    fn people_act(&mut self, tick: u32) {
        if let Some(catalogue) = weather::releases_at(tick) {
            self.catalogue = catalogue;
            self.all_unsettled = true;
        }
        for freeze in self.weather.freezes_at(tick) {
            self.fleet.freeze(&freeze);
            self.all_unsettled = true;
        }
        if self.weather.is_emergency(tick) {
            let at = self.random.usize(..self.fleet.databases.len());
            if self.fleet.databases[at].hurry(self.weather.clock(tick)) {
                self.sum.emergencies += 1;
                self.unsettled.push(at);
            }
        }
    }

    fn plan(&mut self, at: usize, now: Timestamp) {
        let database = &self.fleet.databases[at];
        if database.run.is_some() {
            return;
        }
        let plan = self.plans.find(&database.standing.plan).unwrap();
        let planning = Planning {
            now,
            catalogue: &self.catalogue,
            policy: &self.policy,
        };
        let told = match planning.decide(&database.standing, plan) {
            Decision::Keep => return,
            Decision::Withdraw { .. } => {
                self.fleet.withdraw(at);
                "withdrawn"
            }
            Decision::Plan(wanted) => {
                let kind = wanted.time.notice.kind();
                self.sum.missed += u32::from(kind == Kind::Missed);
                self.fleet.plan(at, wanted, now);
                kind.as_str()
            }
        };
        self.note(now, at, told);
        promises::notice_is_worth_it(&mut self.fleet.databases[at], told);
    }

    fn begin_what_is_due(&mut self, tick: u32, now: Timestamp) {
        for at in self.fleet.to_begin(now) {
            let standing = &self.fleet.databases[at].standing;
            let planned = standing.planned.as_ref().unwrap();
            let opens_at = planned.scheduled_for.unwrap();
            match standing.turn(now, opens_at).verdict() {
                Verdict::Missed(_) => self.unsettled.push(at),
                Verdict::NotYet | Verdict::Again { .. } => {}
                Verdict::Begin { .. } => {
                    let going_on = if now < opens_at {
                        self.fleet.preparing()
                    } else {
                        self.fleet.switching()
                    };
                    let is_full = going_on >= RUNS_AT_ONCE as usize;
                    if standing.emergency_since().is_none() && is_full {
                        self.fleet.databases[at].waits_for_its_turn();
                        self.sum.waited += 1;
                        continue;
                    }
                    let database = &self.fleet.databases[at];
                    let plan = self.plans.find(&database.standing.plan).unwrap();
                    promises::may_begin(database, plan, &self.policy, now);
                    let takes = database.draw_length(&mut self.random);
                    self.fleet.begin(at, tick, takes, now);
                    self.note(now, at, "started");
                }
            }
        }
    }

    fn go_on_with_what_is_ready(&mut self, tick: u32, now: Timestamp) {
        self.fleet.are_ready(tick);
        for at in self.fleet.to_go_on(now) {
            if self.fleet.switching() >= RUNS_AT_ONCE as usize {
                self.fleet.databases[at].waits_for_its_turn();
                self.sum.waited += 1;
            } else if self.fleet.go_on(at, tick, now) {
                promises::may_go_on(&self.fleet.databases[at], now);
                self.note(now, at, "goes on");
            } else {
                self.sum.rolled_back += 1;
                self.unsettled.push(at);
                self.note(now, at, "rolled back");
            }
        }
    }

    fn end_runs(&mut self, tick: u32, now: Timestamp) {
        for at in self.fleet.that_end(tick, now) {
            let succeeds = self.fleet.databases[at].draw_success(&mut self.random);
            let how = match self.fleet.end(at, tick, succeeds, now) {
                Ended::Succeeded => {
                    promises::is_done_once(&self.fleet.databases[at], &self.policy);
                    self.sum.succeeded += 1;
                    "succeeded"
                }
                Ended::RolledBack => {
                    self.sum.rolled_back += 1;
                    "rolled back"
                }
            };
            self.unsettled.push(at);
            self.note(now, at, how);
        }
    }

    fn note(&mut self, now: Timestamp, at: usize, what: &str) {
        let database: &Database = &self.fleet.databases[at];
        (now, at, what, &database.standing.release).hash(&mut self.trace);
        let planned = database.standing.planned.as_ref();
        let planned = planned.map(|planned| (planned.scheduled_for, planned.required_by));
        planned.hash(&mut self.trace);
    }
}

fn seed() -> u64 {
    let said = env::var("UPKEEP_YEAR_SEED").ok();
    said.map_or(2029, |said| said.parse().expect("a seed is a number"))
}

#[test]
fn in_a_year_of_ten_thousand_databases_nothing_is_late_that_need_not_be_nor_done_twice_or_unannounced()
 {
    let sum = play(seed(), 10_000);
    assert!(
        sum.succeeded > 40_000,
        "each is maintained several times: {sum:?}"
    );
    assert!(
        sum.rolled_back > 0 && sum.missed > 0 && sum.waited > 0,
        "{sum:?}"
    );
    assert!(sum.emergencies > 0, "{sum:?}");
    assert!(
        sum.overdue.server_was_away > 0 && sum.overdue.rolled_back > 0,
        "{sum:?}"
    );
}

#[test]
fn the_same_seed_is_the_same_year_and_another_one_is_another() {
    let (once, again) = (play(seed(), 500), play(seed(), 500));
    assert_eq!(once, again);
    assert_ne!(once.trace, play(seed() + 1, 500).trace);
}
