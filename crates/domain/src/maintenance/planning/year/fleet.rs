//! The fleet: its rows change as the store changes them, and its runs take their time.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::super::{Notice, Wanted};
use super::weather::{APPS, FIRST, TICK};
use crate::id::{AppId, DatabaseId, MaintenanceId};
use crate::maintenance::reason::Kind;
use crate::maintenance::standing::{Outline, Standing, Undone};
use crate::maintenance::turn::{ITSELF, RolledBack};
use crate::maintenance::window::{LENGTH, Window};
use crate::maintenance::{Freeze, Requirement, Zone};

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
    planned: BTreeSet<(Timestamp, usize)>,
    running: BTreeSet<usize>,
    /// What the clock showed whenever the server was there.
    pub(super) there: BTreeSet<Timestamp>,
}

pub(super) struct Database {
    pub(super) standing: Standing,
    pub(super) run: Option<Run>,
    app: AppId,
    typical_ticks: u32,
    /// Each of its runs is rolled back.
    is_hopeless: bool,
    lengths: VecDeque<SignedDuration>,
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
    planned: Outline,
    ends_at: u32,
    began_at: u32,
    started_at: Timestamp,
    is_emergency: bool,
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
            if let Some(run) = &mut self.databases[*at].run {
                run.ends_at += 1;
            }
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
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
        self.planned
            .extend(time.scheduled_for.map(|opens| (opens, at)));
    }

    pub(super) fn withdraw(&mut self, at: usize) {
        self.unlist(at);
        let database = &mut self.databases[at];
        database.standing.planned = None;
        database.memory.announced_at = None;
        database.memory.required = None;
    }

    /// Those whose time has come, the one that is required first going first.
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

    pub(super) fn begin(&mut self, at: usize, tick: u32, takes: u32, now: Timestamp) {
        self.unlist(at);
        let database = &mut self.databases[at];
        let planned = database.standing.planned.take().expect("it is planned");
        database.memory.tried_in.extend(planned.scheduled_for);
        let is_emergency = planned.reason == Kind::Emergency.as_str();
        let run = Run {
            planned,
            began_at: tick,
            ends_at: tick + takes,
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
            run.is_some_and(|run| run.ends_at <= tick || run.outlasts_its_window(now))
        };
        running.filter(ends).collect()
    }

    pub(super) fn end(&mut self, at: usize, tick: u32, succeeds: bool, now: Timestamp) -> Ended {
        self.running.remove(&at);
        let database = &mut self.databases[at];
        let run = database.run.take().expect("it runs");
        if tick < run.ends_at {
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
        let planned = self.databases[at].standing.planned.as_ref();
        if let Some(opens) = planned.and_then(|planned| planned.scheduled_for) {
            self.planned.remove(&(opens, at));
        }
    }
}

impl Run {
    fn outlasts_its_window(&self, now: Timestamp) -> bool {
        let opened = self.planned.scheduled_for.expect("it was scheduled");
        !self.is_emergency && opened + LENGTH <= now
    }
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
                release: format!("{}-deb", FIRST[random.usize(..FIRST.len())]),
                chosen_window: chosen.then(|| draw_window(random)),
                freezes: Vec::new(),
                created_at: maintained_at - days(random.i64(0..=400)),
                maintained_at,
                planned: None,
                undone: None,
                required: None,
                waiting: None,
                longest_run: None,
            },
            run: None,
            app: AppId(Uuid::from_u128(random.u128(1..=APPS))),
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
        if let Some(planned) = &mut self.standing.planned {
            planned.waits_for = Some("it waits for others to end".to_owned());
            self.memory.waited_in.extend(planned.scheduled_for);
        }
    }

    /// In ticks; one in two hundred takes much longer than it ever did.
    pub(super) fn draw_length(&self, random: &mut fastrand::Rng) -> u32 {
        let typical = self.typical_ticks + random.u32(..=1);
        if random.u8(..200) == 0 {
            typical * 20
        } else {
            typical
        }
    }

    pub(super) fn draw_success(&self, random: &mut fastrand::Rng) -> bool {
        let is_lucky = random.u8(..100) >= 3;
        is_lucky && !self.is_hopeless
    }

    fn is_done(&mut self, run: Run, now: Timestamp) {
        let took = TICK * (run.ends_at - run.began_at) as i32;
        self.lengths.push_back(took);
        if self.lengths.len() > RUNS_LOOKED_AT {
            self.lengths.pop_front();
        }
        let standing = &mut self.standing;
        standing.longest_run = self.lengths.iter().max().copied();
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
            in_window: (scheduled_for <= now).then_some(RolledBack {
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
