//! Freezes: times in which nothing is maintained, for one app or for all of the fleet.

mod period;
mod stretches;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Interval, Zone};
use crate::id::AppId;

pub use period::Period;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub scope: Scope,
    pub period: Period,
    /// Whose clocks the period is told by.
    pub zone: Zone,
    /// For people: `year-end closing`.
    pub because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Fleet,
    App(AppId),
}

impl Freeze {
    pub fn concerns(&self, app: AppId) -> bool {
        match self.scope {
            Scope::Fleet => true,
            Scope::App(own) => own == app,
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
        Freeze {
            scope,
            period: Period::typed(from, to).unwrap(),
            zone: Zone::UTC,
            because: "year-end closing".to_owned(),
        }
    }

    #[test]
    fn a_freeze_concerns_its_app_or_all() {
        let [own, other] = [1, 2].map(|id| AppId(Uuid::from_u128(id)));
        let fleet = freeze(Scope::Fleet, "12-20", "01-03");
        assert!(fleet.concerns(own) && fleet.concerns(other));
        let app = freeze(Scope::App(own), "12-20", "01-03");
        assert!(app.concerns(own) && !app.concerns(other));
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

    #[test]
    fn a_freeze_survives_its_row() {
        for (from, to) in [
            ("12-20", "01-03"),
            ("fri 16:05", "mon 8:00"),
            ("2029-02-28", "2029-03-01 12:00"),
        ] {
            let freeze = freeze(Scope::Fleet, from, to);
            let row = serde_json::to_value(&freeze).unwrap();
            assert_eq!(serde_json::from_value::<Freeze>(row).unwrap(), freeze);
        }
    }
}
