//! What nobody who plans can choose: when releases arrive, when the server is away, how its clock goes, what people
//! freeze, and when they are in a hurry.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::id::AppId;
use crate::maintenance::freeze::Scope;
use crate::maintenance::{Freeze, Interval};
use crate::release::{Catalogue, Release, Source, Version};

pub(super) const TICK: SignedDuration = SignedDuration::from_mins(5);
pub(super) const TICKS_OF_A_DAY: u32 = 24 * 12;
pub(super) const TICKS: u32 = 365 * TICKS_OF_A_DAY;
pub(super) const APPS: u128 = 2_500;

/// The oldest minor of each major here.
pub(super) const FIRST: [Version; 5] = [
    Version::new(14, 30),
    Version::new(15, 30),
    Version::new(16, 30),
    Version::new(17, 30),
    Version::new(18, 30),
];
/// Days on which every major gets a new minor: every quarter, and once out of turn.
const RELEASE_DAYS: [u32; 5] = [38, 129, 150, 220, 311];
const EMERGENCIES: usize = 12;
const APP_FREEZES: usize = 400;

pub(super) struct Weather {
    away: Vec<Range<u32>>,
    /// For so long the clock is wrong by so much.
    wrong_clock: Vec<(Range<u32>, SignedDuration)>,
    emergencies: Vec<u32>,
    freezes: Vec<(u32, Freeze)>,
}

impl Weather {
    pub(super) fn draw(random: &mut fastrand::Rng) -> Self {
        let mut stretches = |count: u32, longest: u32| -> Vec<Range<u32>> {
            let mut stretch = |_| {
                let from = random.u32(TICKS_OF_A_DAY..TICKS);
                from..from + random.u32(1..=longest)
            };
            (0..count).map(&mut stretch).collect()
        };
        let mut away = stretches(60, 24);
        away.extend(stretches(6, 2 * TICKS_OF_A_DAY));
        let clocks = stretches(12, 60);
        let wrong_clock = clocks.into_iter().enumerate();
        let wrong_clock = wrong_clock.map(|(number, stretch)| {
            let hours = if number % 2 == 0 { 3 } else { -2 };
            (stretch, SignedDuration::from_hours(hours))
        });
        Self {
            away,
            wrong_clock: wrong_clock.collect(),
            emergencies: (0..EMERGENCIES).map(|_| random.u32(..TICKS)).collect(),
            freezes: draw_freezes(random),
        }
    }

    /// What the state database takes for the time.
    pub(super) fn clock(&self, tick: u32) -> Timestamp {
        let wrong = self
            .wrong_clock
            .iter()
            .filter(|(when, _)| when.contains(&tick));
        let wrong: SignedDuration = wrong.map(|(_, by)| *by).sum();
        start() + TICK * tick as i32 + wrong
    }

    /// By three hours at most, so that it may be taken for another one by as much.
    pub(super) fn clock_was_wrong_in(&self, opening: Interval) -> bool {
        const WRONG_MAX: SignedDuration = SignedDuration::from_hours(3);
        self.wrong_clock.iter().any(|(when, _)| {
            let [from, to] = [when.start, when.end].map(|tick| start() + TICK * tick as i32);
            Interval::new(from - WRONG_MAX, to + WRONG_MAX).overlaps(&opening)
        })
    }

    pub(super) fn server_is_away(&self, tick: u32) -> bool {
        self.away.iter().any(|away| away.contains(&tick))
    }

    pub(super) fn is_emergency(&self, tick: u32) -> bool {
        self.emergencies.contains(&tick)
    }

    pub(super) fn freezes_at(&self, tick: u32) -> Vec<Freeze> {
        let now = self.freezes.iter().filter(|(at, _)| *at == tick);
        now.map(|(_, freeze)| freeze.clone()).collect()
    }
}

/// The first moment of the year.
pub(super) fn start() -> Timestamp {
    "2029-01-01T00:00:00Z".parse().unwrap()
}

/// All that are in the store from then on, if there are new ones.
pub(super) fn releases_at(tick: u32) -> Option<Catalogue> {
    let is_release_day = RELEASE_DAYS.map(|day| day * TICKS_OF_A_DAY).contains(&tick);
    (tick == 0 || is_release_day).then(|| {
        let minors = RELEASE_DAYS
            .iter()
            .filter(|day| **day * TICKS_OF_A_DAY <= tick);
        let minors = [0].into_iter().chain(minors.copied()).zip(0..);
        let all = minors.flat_map(|(day, number)| {
            let added = start() + TICK * (day * TICKS_OF_A_DAY) as i32;
            FIRST.map(|first| release(first, number, added))
        });
        Catalogue::new(all.collect())
    })
}

fn draw_freezes(random: &mut fastrand::Rng) -> Vec<(u32, Freeze)> {
    let freeze = |scope, from: &str, to: &str| {
        Freeze::typed(scope, (from, to), Some("Europe/Berlin"), "closing").unwrap()
    };
    let mut freezes = vec![
        (0, freeze(Scope::Fleet, "12-20", "01-03")),
        (TICKS / 3, freeze(Scope::Fleet, "2029-05-07", "2029-05-12")),
    ];
    for _ in 0..APP_FREEZES {
        let app = Scope::App(AppId(Uuid::from_u128(random.u128(1..=APPS))));
        let from = random.i8(1..=14);
        let month = random.i8(1..=12);
        let date = |day: i8| format!("2029-{month:02}-{day:02}");
        let days = random.i8(1..=14);
        let added = random.u32(..TICKS);
        freezes.push((added, freeze(app, &date(from), &date(from + days))));
    }
    freezes
}

fn release(first: Version, later: u16, added: Timestamp) -> Release {
    let version = Version::new(first.major, first.minor + later);
    Release {
        name: format!("{version}-deb").parse().unwrap(),
        version,
        source: Source::System { dir: "/".into() },
        bin_dir: "/".into(),
        library_dir: None,
        programs: [].into(),
        extensions: [].into(),
        tls: true,
        icu: true,
        relocatable: false,
        added_ms: added.as_millisecond().cast_unsigned(),
    }
}
