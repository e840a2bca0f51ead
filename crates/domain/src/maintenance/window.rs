//! The weekly window of a database: four hours in which it is maintained.
//!
//! Day and time are those of a time zone, so the window stays where its people are when their clocks
//! change. When it opens as an instant is in [`openings`](Window::openings); which opening is taken is
//! not decided here.

mod openings;

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

use super::Zone;
use super::typed::{clock, day_of_week, plural, time_of_day, wrong_time};
use crate::id::DatabaseId;
use crate::plan::Plan;
use crate::refusal::Refusal;

/// Of every window, in real time: clocks that change within it make it no longer and no shorter.
pub const LENGTH: SignedDuration = SignedDuration::from_hours(4);

/// Heroku's: on the hour or on the half.
const MINUTES_STEP: i8 = 30;

/// Monday to Friday, from 18:00 to 23:00: when those who would have to look are still awake.
const DEFAULT_DAYS: [Weekday; 5] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
];
const DEFAULT_FIRST_HOUR: i8 = 18;
const DEFAULT_TIMES: u128 = 11;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Typed", into = "Typed")]
pub struct Window {
    day: Weekday,
    time: Time,
    zone: Zone,
}

/// A window as people type it and as rows keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    pub day: String,
    pub time: String,
    #[serde(default = "utc")]
    pub zone: String,
}

fn utc() -> String {
    Zone::UTC.name().to_owned()
}

impl Window {
    /// Understands `sunday`, `Sundays`, `sun` and `14:30`, `1:30PM`, `5pm`.
    ///
    /// # Errors
    /// A refusal that says what was wrong and gives an example.
    pub fn typed(day: &str, time: &str, zone: Zone) -> Result<Self, Refusal> {
        let day = day_of_week(day)?;
        let begin = time_of_day(time)?;
        if begin.minute() % MINUTES_STEP != 0 {
            let what = "a window begins on the hour or on the half hour";
            return Err(wrong_time(time, what));
        }
        Ok(Self {
            day,
            time: begin,
            zone,
        })
    }

    /// The one of a database whose people have chosen none. It follows from the id, so that it never changes and
    /// a fleet's windows are spread evenly.
    pub fn default_of(database: DatabaseId) -> Self {
        let days = DEFAULT_DAYS.len() as u128;
        let draw = database.0.as_u128() % (days * DEFAULT_TIMES);
        let minutes = (draw / days) as i16 * i16::from(MINUTES_STEP);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        Self {
            day: DEFAULT_DAYS[(draw % days) as usize],
            time: Time::constant(DEFAULT_FIRST_HOUR + hours as i8, minutes as i8, 0, 0),
            zone: Zone::UTC,
        }
    }

    /// The one that a database has: none on plans without; otherwise what its people have chosen, or its default.
    pub fn of(database: DatabaseId, plan: &Plan, chosen: Option<&Self>) -> Option<Self> {
        let own = || {
            chosen
                .cloned()
                .unwrap_or_else(|| Self::default_of(database))
        };
        plan.window.then(own)
    }

    /// When a database is worked on by itself. Those on plans without a window are so whenever it is needed: at a time
    /// at which others are, and which nobody is told.
    pub fn of_work(database: DatabaseId, plan: &Plan, chosen: Option<&Self>) -> Self {
        Self::of(database, plan, chosen).unwrap_or_else(|| Self::default_of(database))
    }

    pub fn zone(&self) -> &Zone {
        &self.zone
    }
}

/// Heroku's words: `Tuesdays 17:30 to 21:30 UTC`, `Thursdays 22:00 to Fridays 02:00 UTC`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, time, zone } = self;
        let end = time.wrapping_add(LENGTH);
        write!(f, "{} {} to ", plural(*day), clock(*time))?;
        if end < *time {
            write!(f, "{} ", plural(day.next()))?;
        }
        write!(f, "{} {zone}", clock(end))
    }
}

impl TryFrom<Typed> for Window {
    type Error = Refusal;

    fn try_from(typed: Typed) -> Result<Self, Refusal> {
        Self::typed(&typed.day, &typed.time, typed.zone.parse()?)
    }
}

impl From<Window> for Typed {
    fn from(window: Window) -> Self {
        Self {
            day: plural(window.day).to_ascii_lowercase(),
            time: clock(window.time),
            zone: window.zone.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::plan::Plans;

    #[test]
    fn windows_are_printed_in_herokus_words() {
        for (day, time, zone, printed) in [
            ("tuesday", "17:30", "UTC", "Tuesdays 17:30 to 21:30 UTC"),
            (
                "thu",
                "22:00",
                "UTC",
                "Thursdays 22:00 to Fridays 02:00 UTC",
            ),
            ("sun", "20:00", "UTC", "Sundays 20:00 to Mondays 00:00 UTC"),
            ("sun", "19:30", "UTC", "Sundays 19:30 to 23:30 UTC"),
            (
                "mon",
                "0:00",
                "Europe/Berlin",
                "Mondays 00:00 to 04:00 Europe/Berlin",
            ),
        ] {
            let window = Window::typed(day, time, zone.parse().unwrap()).unwrap();
            assert_eq!(window.to_string(), printed);
            let row = serde_json::to_value(&window).unwrap();
            assert_eq!(serde_json::from_value::<Window>(row).unwrap(), window);
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_an_example() {
        for (day, time, word) in [
            ("someday", "14:30", "day of the week"),
            ("sunday", "25:00", "from 0 to 23"),
            ("sunday", "14:15", "on the half hour"),
        ] {
            let refusal = Window::typed(day, time, Zone::UTC).unwrap_err();
            assert!(refusal.sentence.contains(word), "{refusal:?}");
            assert!(refusal.hint.unwrap().contains("sunday 14:30"));
        }
    }

    #[test]
    fn defaults_never_change_and_are_spread_over_the_evenings_of_a_week() {
        let of = |id: u128| Window::default_of(DatabaseId(Uuid::from_u128(id)));
        assert_eq!(of(0).to_string(), "Mondays 18:00 to 22:00 UTC");
        assert_eq!(of(54).to_string(), "Fridays 23:00 to Saturdays 03:00 UTC");
        let id = "01980d3a-7b1c-7e55-8f3b-5d2b6a7c9e10".parse().unwrap();
        assert_eq!(
            Window::default_of(id).to_string(),
            "Thursdays 19:30 to 23:30 UTC"
        );
        let mut drawn = BTreeMap::new();
        for id in 0..5_500 {
            *drawn.entry(of(id).to_string()).or_insert(0) += 1;
        }
        assert_eq!(drawn.len(), 55);
        assert!(drawn.values().all(|&count| count == 100), "{drawn:?}");
    }

    #[test]
    fn a_plan_decides_whether_there_is_a_window_and_people_which() {
        let plans = Plans::defaults();
        let id = DatabaseId(Uuid::from_u128(54));
        let chosen = Window::typed("sun", "13:30", Zone::UTC).unwrap();
        let of = |plan: &str, chosen| Window::of(id, plans.find(plan).unwrap(), chosen);
        assert_eq!(of("essential-0", Some(&chosen)), None);
        assert_eq!(of("standard-0", None), Some(Window::default_of(id)));
        assert_eq!(of("standard-0", Some(&chosen)), Some(chosen.clone()));
        let essential = plans.find("essential-0").unwrap();
        let at_work = Window::of_work(id, essential, Some(&chosen));
        assert_eq!(at_work, Window::default_of(id));
    }

    proptest! {
        #[test]
        fn every_default_begins_on_a_working_day_in_the_evening(id: u128) {
            let window = Window::default_of(DatabaseId(Uuid::from_u128(id)));
            prop_assert!(window.day.to_monday_zero_offset() < 5);
            let earliest = Time::constant(18, 0, 0, 0);
            let latest = Time::constant(23, 0, 0, 0);
            prop_assert!((earliest..=latest).contains(&window.time), "{}", window);
        }
    }
}
