//! Time zones by their IANA names, such as `Europe/Berlin`.
//!
//! Their rules are part of the program and not read from the machine: every server must see a window
//! open at the same instant, also where no zones are installed. New rules come with a new Upkeep.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::name::shown;
use crate::refusal::Refusal;

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const UTC: &str = "UTC";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Every one there is, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        let known = ZONES.available();
        known.filter_map(|name| ZONES.get(name.as_str()).ok().map(Self))
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or(UTC)
    }

    pub fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = Refusal;

    /// Takes a name in any case.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        ZONES.get(text).map(Self).map_err(|_| {
            let sentence = format!("`{}` is not the name of a time zone", shown(text));
            let examples = named_alike(text).unwrap_or_else(|| "Europe/Berlin or UTC".to_owned());
            Refusal::invalid(sentence).with_hint(format!("use an IANA name, such as {examples}"))
        })
    }
}

/// People type the city without its continent.
fn named_alike(text: &str) -> Option<String> {
    let city = text.replace(' ', "_");
    let names = ZONES.available().map(|name| name.as_str().to_owned());
    let mut alike = names.filter(|name| {
        let last = name.rsplit('/').next();
        last.is_some_and(|last| last.eq_ignore_ascii_case(&city))
    });
    alike.next()
}

impl TryFrom<String> for Zone {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_is_found_by_the_name_that_it_prints() {
        let mut count = 0;
        for zone in Zone::all() {
            assert_eq!(zone.name().parse(), Ok(zone.clone()));
            count += 1;
        }
        assert!(count > 400, "{count}");
        assert_eq!("utc".parse(), Ok(Zone::UTC));
        assert_eq!(Zone::UTC.to_string(), "UTC");
        assert_eq!(
            "europe/berlin".parse::<Zone>().unwrap().name(),
            "Europe/Berlin"
        );
    }

    #[test]
    fn what_is_no_zone_is_refused_with_one_that_is() {
        for (text, example) in [
            ("Mars/Olympus", "Europe/Berlin or UTC"),
            ("berlin", "Europe/Berlin"),
            ("new york", "America/New_York"),
            ("+02:00", "Europe/Berlin or UTC"),
            ("", "Europe/Berlin or UTC"),
        ] {
            let refusal = text.parse::<Zone>().unwrap_err();
            assert!(refusal.sentence.contains(text), "{refusal:?}");
            assert!(refusal.hint.unwrap().ends_with(example), "{text}");
        }
    }
}
