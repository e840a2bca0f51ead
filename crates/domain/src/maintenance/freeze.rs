//! Freezes: times in which nothing is maintained, for one app or for all of the fleet.

mod period;
mod stretches;

use std::fmt;

use super::typed::because_typed;
use super::{Interval, Zone};
use crate::id::AppId;
use crate::refusal::Refusal;

pub use period::{Period, WeekTime, YearDay};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub scope: Scope,
    pub period: Period,
    /// Whose clocks the period is told by.
    pub zone: Zone,
    /// For people: `year-end closing`.
    pub because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Fleet,
    App(AppId),
}

impl Freeze {
    /// From what people type; UTC if they say no zone.
    ///
    /// # Errors
    /// A refusal that says what was wrong and gives examples.
    pub fn typed(
        scope: Scope,
        (from, to): (&str, &str),
        zone: Option<&str>,
        because: &str,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            scope,
            period: Period::typed(from, to)?,
            zone: zone.map_or(Ok(Zone::UTC), str::parse)?,
            because: because_typed(because, "a freeze", "year-end closing")?,
        })
    }

    /// Whether it is one of a database that these apps have.
    pub fn concerns(&self, apps: &[AppId]) -> bool {
        match self.scope {
            Scope::Fleet => true,
            Scope::App(own) => apps.contains(&own),
        }
    }
}

/// `year-end closing, every year from 12-20 to 01-03 Europe/Berlin`.
impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            period,
            zone,
            because,
            ..
        } = self;
        write!(f, "{because}, {period} {zone}")
    }
}

/// How people are told that something was put off.
pub fn moved_note(freeze: &Freeze) -> String {
    format!("moved out of a freeze ({freeze})")
}

/// The first of these that any part of the interval falls into.
pub fn is_frozen<'a>(
    freezes: impl IntoIterator<Item = &'a Freeze>,
    interval: Interval,
) -> Option<&'a Freeze> {
    let mut freezes = freezes.into_iter();
    freezes.find(|freeze| freeze.stretch_over(interval).is_some())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn freeze(scope: Scope, from: &str, to: &str) -> Freeze {
        Freeze::typed(scope, (from, to), None, " year-end closing ").unwrap()
    }

    #[test]
    fn the_reason_of_a_freeze_is_a_line_that_says_something() {
        for because in ["", "  ", "closing\nthe year", &"a".repeat(201)] {
            let refusal = Freeze::typed(Scope::Fleet, ("12-20", "01-03"), None, because);
            assert!(refusal.unwrap_err().sentence.contains("a line of 1 to 200"));
        }
    }

    #[test]
    fn a_freeze_concerns_its_app_or_all() {
        let [own, other] = [1, 2].map(|id| AppId(Uuid::from_u128(id)));
        let fleet = freeze(Scope::Fleet, "12-20", "01-03");
        assert!(fleet.concerns(&[own]) && fleet.concerns(&[]));
        let app = freeze(Scope::App(own), "12-20", "01-03");
        assert!(app.concerns(&[other, own]) && !app.concerns(&[other]));
    }

    #[test]
    fn the_freeze_that_is_in_the_way_is_told_by_its_reason() {
        let freezes = [
            freeze(Scope::Fleet, "sat 0:00", "sun 0:00"),
            freeze(Scope::Fleet, "12-20", "01-03"),
        ];
        let evening = |date: &str| {
            let at = |time| format!("{date}T{time}:00Z").parse().unwrap();
            Interval::new(at("18:00"), at("22:00"))
        };
        // 2029-12-24 is a Monday, the 22nd a Saturday.
        let told = |date| is_frozen(&freezes, evening(date)).map(Freeze::to_string);
        assert_eq!(told("2029-12-19"), None);
        assert_eq!(
            told("2029-12-24").unwrap(),
            "year-end closing, every year from 12-20 to 01-03 UTC"
        );
        assert_eq!(
            told("2029-12-22").unwrap(),
            "year-end closing, every week from Saturdays 00:00 to Sundays 00:00 UTC"
        );
    }
}
