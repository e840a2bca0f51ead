//! The fleet: its rows change as the store changes them, and its runs take their time.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::{Notice, Wanted};
use super::weather::{APPS, FIRST, TICK};
use crate::id::{AppId, DatabaseId, MaintenanceId};
use crate::maintenance::method::{Facts, Method, choose};
use crate::maintenance::reason::Kind;
use crate::maintenance::standing::{Longest, Outline, Standing, Undone};
use crate::maintenance::turn::{ITSELF, RolledBack, expected_of};
use crate::maintenance::window::Window;
use crate::maintenance::{Due, Freeze, Interval, Requirement, Zone, freeze};

const ZONES: [&str; 5] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const RUNS_LOOKED_AT: usize = 5;
/// As little as that, nothing is routine when the year begins.
const MAINTAINED_DAYS_AGO_MAX: i64 = 85;

pub(super) struct Fleet {
    pub(super) databases: Vec<Database>,
    /// By when they may be begun.
    planned: BTreeSet<(Timestamp, usize)>,
    running: BTreeSet<usize>,
    /// What the clock showed whenever the server was there.
    pub(super) there: BTreeSet<Timestamp>,
}

pub(super) struct Database {
    pub(super) standing: Standing,
    pub(super) run: Option<Run>,
    app: AppId,
    listed_for: Option<Timestamp>,
    typical_ticks: u32,
    /// Each of its runs is rolled back.
    is_hopeless: bool,
    lengths: VecDeque<Length>,
    pub(super) memory: Memory,
}

/// What promises are held against.
#[derive(Default)]
pub(super) struct Memory {
    /// Since when people know that something is planned.
    pub(super) announced_at: Option<Timestamp>,
    /// They know that it is sooner than the notice would have it.
    pub(super) is_short: bool,
    /// By when it is required, and since when that is known.
    pub(super) required: Option<(Timestamp, Timestamp)>,
    pub(super) tried_in: Vec<Timestamp>,
    /// As many as may went on.
    pub(super) waited_in: BTreeSet<Timestamp>,
    pub(super) last_notice: Option<(&'static str, Outline)>,
    pub(super) overdue: Option<Timestamp>,
    /// The release, the reason, and when.
    pub(super) done: Vec<(String, String, Timestamp)>,
}

pub(super) struct Run {
    pub(super) planned: Outline,
    phase: Phase,
    takes: Length,
    started_at: Timestamp,
    is_emergency: bool,
}

/// In ticks.
#[derive(Clone, Copy)]
pub(super) struct Length {
    preparing: u32,
    run: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Preparing { until: u32 },
    Ready,
    Running { until: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Succeeded,
    RolledBack,
}

impl Fleet {
    pub(super) fn draw(random: &mut fastrand::Rng, databases: usize, start: Timestamp) -> Self {
        let databases = (0..databases).map(|_| Database::draw(random, start));
        Self {
            databases: databases.collect(),
            planned: BTreeSet::new(),
            running: BTreeSet::new(),
            there: BTreeSet::new(),
        }
    }

    pub(super) fn freeze(&mut self, freeze: &Freeze) {
        for database in &mut self.databases {
            if freeze.concerns(&[database.app]) {
                database.standing.freezes.push(freeze.clone());
            }
        }
    }

    pub(super) fn server_was_there(&mut self, now: Timestamp) {
        self.there.insert(now);
    }

    pub(super) fn runs_are_delayed(&mut self) {
        for at in &self.running {
            let run = self.databases[*at].run.as_mut();
            match &mut run.expect("it runs").phase {
                Phase::Preparing { until } | Phase::Running { until } => *until += 1,
                Phase::Ready => {}
            }
        }
    }

    pub(super) fn preparing(&self) -> usize {
        self.count(|phase| matches!(phase, Phase::Preparing { .. }))
    }

    pub(super) fn switching(&self) -> usize {
        self.count(|phase| matches!(phase, Phase::Running { .. }))
    }

    fn count(&self, counts: impl Fn(Phase) -> bool) -> usize {
        let runs = self.running.iter();
        let runs = runs.filter_map(|at| self.databases[*at].run.as_ref());
        runs.filter(|run| counts(run.phase)).count()
    }

    /// Those that have their replacement.
    pub(super) fn are_ready(&mut self, tick: u32) {
        for at in &self.running {
            let run = self.databases[*at].run.as_mut().expect("it runs");
            if matches!(run.phase, Phase::Preparing { until } if until <= tick) {
                run.phase = Phase::Ready;
            }
        }
    }

    /// Those whose window is open, the one that is required first going first.
    pub(super) fn to_go_on(&self, now: Timestamp) -> Vec<usize> {
        let waits = |at: &usize| {
            let run = self.databases[*at].run.as_ref();
            run.is_some_and(|run| run.phase == Phase::Ready && run.opening().from <= now)
        };
        let mut ready: Vec<usize> = self.running.iter().copied().filter(waits).collect();
        ready.sort_by_key(|at| {
            let planned = self.databases[*at].run.as_ref().map(|run| &run.planned);
            (planned.map(|p| (p.required_by, p.scheduled_for)), *at)
        });
        ready
    }

    /// False, and it is undone, if people do not want it now, or what is left of its window is too short.
    pub(super) fn go_on(&mut self, at: usize, tick: u32, now: Timestamp) -> bool {
        let database = &mut self.databases[at];
        let run = database.run.as_mut().expect("it runs");
        run.phase = Phase::Running {
            until: tick + run.takes.run,
        };
        let ends = now + expected_of(database.standing.longest.run);
        let is_frozen = freeze::is_frozen(&database.standing.freezes, run.opening()).is_some();
        if !is_frozen && ends <= run.opening().to {
            return true;
        }
        let run = database.run.take().expect("it runs");
        self.running.remove(&at);
        self.databases[at].is_undone(run, None, now);
        false
    }

    pub(super) fn plan(&mut self, at: usize, wanted: Wanted<'_>, now: Timestamp) {
        self.unlist(at);
        let Wanted { due, target, time } = wanted;
        let database = &mut self.databases[at];
        let before = database.standing.planned.take();
        let same_time = before
            .as_ref()
            .is_some_and(|b| b.scheduled_for == time.scheduled_for);
        let id = before
            .as_ref()
            .map_or(MaintenanceId(Uuid::nil()), |before| before.id);
        let waits_for = before.and_then(|before| before.waits_for);
        let planned = database.standing.planned.insert(Outline {
            id,
            method: method_for(&due).as_str().to_owned(),
            reason: due.kind().to_string(),
            reason_because: Some(due.to_string()),
            release_after: target.name.to_string(),
            required_by: Some(due.required_by),
            scheduled_for: time.scheduled_for,
            schedule_note: time.note,
            waits_for: waits_for.filter(|_| same_time),
        });
        let memory = &mut database.memory;
        if time.notice == Notice::Scheduled || memory.announced_at.is_none() {
            memory.announced_at = Some(now);
            memory.is_short = false;
        }
        let note = planned.schedule_note.as_deref().unwrap_or_default();
        memory.is_short |= note.contains("short notice") || note.contains("overdue");
        memory.required = match memory.required {
            Some((by, since)) if by <= due.required_by => Some((due.required_by, since)),
            _ => Some((due.required_by, now)),
        };
        let preparing = database.standing.expected().preparing;
        database.listed_for = time.scheduled_for.map(|opens| opens - preparing);
        self.planned
            .extend(database.listed_for.map(|from| (from, at)));
    }

    pub(super) fn withdraw(&mut self, at: usize) {
        self.unlist(at);
        let database = &mut self.databases[at];
        database.standing.planned = None;
        database.memory.announced_at = None;
        database.memory.required = None;
    }

    /// Those whose time may have come, the one that is required first going first.
    pub(super) fn to_begin(&self, now: Timestamp) -> Vec<usize> {
        let open = self.planned.range(..=(now, usize::MAX));
        let mut open: Vec<usize> = open.map(|(_, at)| *at).collect();
        open.sort_by_key(|at| {
            let standing = &self.databases[*at].standing;
            let required_by = standing.planned.as_ref().and_then(|p| p.required_by);
            let scheduled_for = standing.planned.as_ref().and_then(|p| p.scheduled_for);
            (required_by, scheduled_for, standing.created_at, *at)
        });
        open
    }

    pub(super) fn begin(&mut self, at: usize, tick: u32, takes: Length, now: Timestamp) {
        self.unlist(at);
        let database = &mut self.databases[at];
        let planned = database.standing.planned.take().expect("it is planned");
        database.memory.tried_in.extend(planned.scheduled_for);
        let is_emergency = planned.reason == Kind::Emergency.as_str();
        let is_early = Some(now) < planned.scheduled_for;
        let run = Run {
            planned,
            phase: if is_early {
                let until = tick + takes.preparing;
                Phase::Preparing { until }
            } else {
                let until = tick + takes.preparing + takes.run;
                Phase::Running { until }
            },
            takes,
            started_at: now,
            is_emergency,
        };
        assert!(database.run.replace(run).is_none(), "two runs at once");
        self.running.insert(at);
    }

    /// Those that have come to their end, and those whose window has.
    pub(super) fn that_end(&self, tick: u32, now: Timestamp) -> Vec<usize> {
        let running = self.running.iter().copied();
        let ends = |at: &usize| {
            let run = self.databases[*at].run.as_ref();
            run.is_some_and(|run| run.is_over(tick) || run.outlasts_its_window(now))
        };
        running.filter(ends).collect()
    }

    pub(super) fn end(&mut self, at: usize, tick: u32, succeeds: bool, now: Timestamp) -> Ended {
        self.running.remove(&at);
        let database = &mut self.databases[at];
        let run = database.run.take().expect("it runs");
        if !run.is_over(tick) {
            let by = format!("{ITSELF}, for its window is over");
            database.is_undone(run, Some(by), now);
            Ended::RolledBack
        } else if succeeds {
            database.is_done(run, now);
            Ended::Succeeded
        } else {
            database.is_undone(run, None, now);
            Ended::RolledBack
        }
    }

    fn unlist(&mut self, at: usize) {
        if let Some(from) = self.databases[at].listed_for.take() {
            self.planned.remove(&(from, at));
        }
    }
}

impl Run {
    pub(super) fn opening(&self) -> Interval {
        let from = self.planned.scheduled_for.expect("it was scheduled");
        Window::opening_at(from)
    }

    fn is_over(&self, tick: u32) -> bool {
        matches!(self.phase, Phase::Running { until } if until <= tick)
    }

    fn outlasts_its_window(&self, now: Timestamp) -> bool {
        !self.is_emergency && self.opening().to <= now
    }
}

fn method_for(due: &Due) -> Method {
    let facts = Facts {
        database: "postgresql-calm-1",
        is_ha: false,
        has_ready_standby: false,
        follows: None,
        cause: due.cause(),
    };
    choose(&facts, None).unwrap().method
}

impl Database {
    fn draw(random: &mut fastrand::Rng, start: Timestamp) -> Self {
        let days = |count: i64| SignedDuration::from_hours(24 * count);
        let maintained_at = start - days(random.i64(1..=MAINTAINED_DAYS_AGO_MAX));
        let chosen = random.u8(..10) < 3;
        let has_window = random.u8(..10) < 9;
        Self {
            standing: Standing {
                database: DatabaseId(Uuid::from_u128(random.u128(..))),
                plan: if has_window {
                    "standard-0"
                } else {
                    "essential-0"
                }
                .to_owned(),
                is_follower: false,
                release: format!("{}-deb", FIRST[random.usize(..FIRST.len())]),
                chosen_window: chosen.then(|| draw_window(random)),
                freezes: Vec::new(),
                created_at: maintained_at - days(random.i64(0..=400)),
                maintained_at,
                planned: None,
                undone: None,
                required: None,
                waiting: None,
                longest: Longest::default(),
            },
            run: None,
            app: AppId(Uuid::from_u128(random.u128(1..=APPS))),
            listed_for: None,
            typical_ticks: random.u32(1..=3),
            is_hopeless: random.u16(..500) == 0,
            lengths: VecDeque::new(),
            memory: Memory::default(),
        }
    }

    /// Whether anybody is in a hurry: only one without work, and with a window.
    pub(super) fn hurry(&mut self, now: Timestamp) -> bool {
        let standing = &mut self.standing;
        let can =
            self.run.is_none() && standing.required.is_none() && standing.plan != "essential-0";
        if can {
            standing.required = Some(Requirement {
                by: "ama@example.com".to_owned(),
                because: "a disk fails".to_owned(),
                emergency: true,
                since: now,
            });
        }
        can
    }

    pub(super) fn waits_for_its_turn(&mut self) {
        let planned = self.standing.planned.as_mut();
        let planned = planned.or(self.run.as_mut().map(|run| &mut run.planned));
        let planned = planned.expect("it is planned or waits for its window");
        planned.waits_for = Some("it waits for others to end".to_owned());
        self.memory.waited_in.extend(planned.scheduled_for);
    }

    /// One in two hundred takes much longer than it ever did.
    pub(super) fn draw_length(&self, random: &mut fastrand::Rng) -> Length {
        let times = if random.u8(..200) == 0 { 20 } else { 1 };
        let planned = self.standing.planned.as_ref();
        let builds = planned.is_some_and(|p| p.method == Method::Changeover.as_str());
        Length {
            preparing: if builds {
                (self.typical_ticks + random.u32(..=1)) * times
            } else {
                0
            },
            run: random.u32(1..=2) * times,
        }
    }

    pub(super) fn draw_success(&self, random: &mut fastrand::Rng) -> bool {
        let is_lucky = random.u8(..100) >= 3;
        is_lucky && !self.is_hopeless
    }

    fn is_done(&mut self, run: Run, now: Timestamp) {
        self.lengths.push_back(run.takes);
        if self.lengths.len() > RUNS_LOOKED_AT {
            self.lengths.pop_front();
        }
        let standing = &mut self.standing;
        let longest = |part: fn(&Length) -> u32| {
            let ticks = self.lengths.iter().map(part).max();
            ticks.map(|ticks| TICK * ticks as i32)
        };
        standing.longest = Longest {
            preparing: longest(|length| length.preparing),
            run: longest(|length| length.run),
        };
        standing.release.clone_from(&run.planned.release_after);
        standing.maintained_at = now;
        standing.undone = None;
        standing
            .required
            .take_if(|required| required.since <= run.started_at);
        let memory = &mut self.memory;
        memory.announced_at = None;
        memory.required = None;
        let Outline {
            release_after,
            reason,
            ..
        } = run.planned;
        memory.done.push((release_after, reason, now));
    }

    fn is_undone(&mut self, run: Run, called_off_by: Option<String>, now: Timestamp) {
        let scheduled_for = run.planned.scheduled_for.expect("it was scheduled");
        let before = self.standing.undone.take();
        let before = before.filter(|undone| undone.scheduled_for == scheduled_for);
        let times = before
            .and_then(|undone| undone.in_window)
            .map_or(0, |runs| runs.times);
        self.standing.undone = Some(Undone {
            reason: run.planned.reason,
            scheduled_for,
            release_after: run.planned.release_after,
            last_at: now,
            in_window: Some(RolledBack {
                times: times + 1,
                last_at: now,
                because: Some("its disk is full".to_owned()),
                called_off_by,
            }),
        });
    }
}

fn draw_window(random: &mut fastrand::Rng) -> Window {
    let zone: Zone = ZONES[random.usize(..ZONES.len())].parse().unwrap();
    let half_hours = random.u8(..48);
    let time = format!("{:02}:{:02}", half_hours / 2, half_hours % 2 * 30);
    Window::typed(DAYS[random.usize(..DAYS.len())], &time, zone).unwrap()
}
