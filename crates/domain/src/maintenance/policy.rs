//! The policy: how soon what is due has to be done, and how long before people are told.
//!
//! It is a file in the format of [`DEFAULTS`]; an installation may have its own.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use toml::Spanned;

use super::reason::{Kind, Reason};
use super::window;
use crate::file::{Error, Place};
use crate::plan::Plan;

/// The built-in policy, and the documentation of the format.
pub const DEFAULTS: &str = include_str!("policy/defaults.toml");

const NOTICE_DAYS: RangeInclusive<u32> = 0..=60;
const ROUTINE_DAYS: RangeInclusive<u32> = 7..=730;
const CERTIFICATE_DUE_DAYS: RangeInclusive<u32> = 1..=365;
const CERTIFICATE_REQUIRED_DAYS: RangeInclusive<u32> = 0..=365;
const RUNS_AT_ONCE: RangeInclusive<u32> = 1..=64;
const REQUIRED_DAYS: RangeInclusive<u32> = 1..=365;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    notice_days: u32,
    routine_after_days: u32,
    runs_at_once: u32,
    certificate_due_days_before: u32,
    certificate_required_days_before: u32,
    required_by_days: BTreeMap<Kind, u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    notice_days: Option<Spanned<u32>>,
    routine_after_days: Option<Spanned<u32>>,
    runs_at_once: Option<Spanned<u32>>,
    certificate_due_days_before: Option<Spanned<u32>>,
    certificate_required_days_before: Option<Spanned<u32>>,
    #[serde(default)]
    required_by_days: BTreeMap<Kind, Spanned<u32>>,
}

impl Policy {
    /// That which holds when nobody says otherwise.
    pub fn defaults() -> Self {
        let nothing = Self {
            notice_days: 0,
            routine_after_days: 0,
            runs_at_once: 0,
            certificate_due_days_before: 0,
            certificate_required_days_before: 0,
            required_by_days: BTreeMap::new(),
        };
        nothing.with(DEFAULTS).expect("a test reads the defaults")
    }

    /// Understands a file; what it leaves out is as in the defaults.
    ///
    /// # Errors
    /// With the line, the key, and what is allowed there.
    pub fn read(text: &str) -> Result<Self, Error> {
        Self::defaults().with(text)
    }

    fn with(mut self, text: &str) -> Result<Self, Error> {
        let place = Place::of(text);
        let file: File = place.parse()?;
        for (key, said, allowed, kept) in [
            (
                "notice_days",
                file.notice_days,
                NOTICE_DAYS,
                &mut self.notice_days,
            ),
            (
                "routine_after_days",
                file.routine_after_days,
                ROUTINE_DAYS,
                &mut self.routine_after_days,
            ),
            (
                "runs_at_once",
                file.runs_at_once,
                RUNS_AT_ONCE,
                &mut self.runs_at_once,
            ),
            (
                "certificate_due_days_before",
                file.certificate_due_days_before,
                CERTIFICATE_DUE_DAYS,
                &mut self.certificate_due_days_before,
            ),
            (
                "certificate_required_days_before",
                file.certificate_required_days_before,
                CERTIFICATE_REQUIRED_DAYS,
                &mut self.certificate_required_days_before,
            ),
        ] {
            if let Some(said) = said {
                *kept = place.number(key, &said, allowed)?;
            }
        }
        for (kind, said) in file.required_by_days {
            if let Some(sentence) = without_days(kind) {
                return Err(place.error(&said.span(), kind.as_str(), sentence.to_owned()));
            }
            let days = place.number(kind.as_str(), &said, REQUIRED_DAYS)?;
            self.required_by_days.insert(kind, days);
        }
        Ok(self)
    }

    /// How long before people are told. Those on plans without a window are not told at all.
    pub fn notice(&self, plan: &Plan) -> SignedDuration {
        if plan.window {
            days(self.notice_days)
        } else {
            SignedDuration::ZERO
        }
    }

    /// So many maintenances go on when another one is not begun by itself.
    pub fn runs_at_once(&self) -> u32 {
        self.runs_at_once
    }

    /// From when on a database is due for no other reason than that it was maintained then.
    pub fn routine_from(&self, last: Timestamp) -> Timestamp {
        later(last, days(self.routine_after_days))
    }

    /// From when on a certificate is to be renewed.
    pub fn certificate_due_from(&self, ends_at: Timestamp) -> Timestamp {
        later(ends_at, -days(self.certificate_due_days_before))
    }

    /// By when a reason that was first known at `since` has to be gone.
    pub fn required_by(&self, reason: &Reason, since: Timestamp) -> Timestamp {
        if let Reason::Certificate { ends_at } = reason {
            return later(*ends_at, -days(self.certificate_required_days_before));
        }
        if let Reason::Emergency { .. } = reason {
            return later(since, window::LENGTH);
        }
        let within = self.required_by_days.get(&reason.kind());
        later(
            since,
            days(*within.expect("a test finds every kind in the defaults")),
        )
    }
}

/// Why a reason is not required within days.
fn without_days(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Certificate => {
            Some("a certificate is required by its end: say certificate_required_days_before")
        }
        Kind::Emergency => Some("an emergency is required at once"),
        _ => None,
    }
}

fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(count))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    at.checked_add(by).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maintenance::reason::KINDS;
    use crate::plan::Plans;
    use crate::release::Version;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_defaults_say_something_about_every_kind_of_reason() {
        let policy = Policy::defaults();
        for kind in KINDS {
            let said = policy.required_by_days.contains_key(&kind);
            assert_eq!(said, without_days(kind).is_none(), "{kind}");
            assert!(DEFAULTS.contains(kind.as_str()), "{kind} is explained");
        }
        let plans = Plans::defaults();
        let notice = |plan| policy.notice(plans.find(plan).unwrap());
        assert_eq!(notice("standard-0"), SignedDuration::from_hours(7 * 24));
        assert_eq!(notice("essential-0"), SignedDuration::ZERO);
        assert_eq!(policy.runs_at_once(), 1);
    }

    #[test]
    fn a_reason_is_to_be_gone_some_days_after_it_was_known_and_a_certificate_before_its_end() {
        let policy = Policy::defaults();
        let known = at("2029-01-01T12:00:00Z");
        let security = Reason::SecurityRelease {
            to: Version::new(15, 20),
        };
        assert_eq!(
            policy.required_by(&security, known),
            at("2029-01-15T12:00:00Z")
        );
        let routine = Reason::Routine {
            last_at: at("2028-10-03T12:00:00Z"),
        };
        assert_eq!(
            policy.required_by(&routine, known),
            at("2029-01-31T12:00:00Z")
        );
        assert_eq!(policy.routine_from(at("2028-10-03T12:00:00Z")), known);
        let ends_at = at("2029-01-31T12:00:00Z");
        let certificate = Reason::Certificate { ends_at };
        assert_eq!(
            policy.required_by(&certificate, known),
            at("2029-01-24T12:00:00Z")
        );
        assert_eq!(policy.certificate_due_from(ends_at), known);
        assert_eq!(policy.required_by(&routine, Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_file_changes_what_it_names_and_nothing_else() {
        let policy =
            Policy::read("notice_days = 2\n[required_by_days]\nminor_release = 60\n").unwrap();
        let mut expected = Policy::defaults();
        expected.notice_days = 2;
        expected.required_by_days.insert(Kind::MinorRelease, 60);
        assert_eq!(policy, expected);
        assert_eq!(Policy::read(""), Ok(Policy::defaults()));
    }

    #[test]
    fn what_is_wrong_is_said_with_line_key_and_what_is_allowed() {
        for (text, told) in [
            (
                "\nnotice_days = 61",
                "line 2, `notice_days`: 61 is not allowed: 0 to 60",
            ),
            (
                "runs_at_once = 0",
                "line 1, `runs_at_once`: 0 is not allowed: 1 to 64",
            ),
            (
                "[required_by_days]\nrequested = 0",
                "line 2, `requested`: 0 is not allowed: 1 to 365",
            ),
            (
                "[required_by_days]\ncertificate = 3",
                "line 2, `certificate`: a certificate is required by its end: say certificate_required_days_before",
            ),
        ] {
            assert_eq!(Policy::read(text).unwrap_err().to_string(), told);
        }
        for (text, line, word) in [
            ("notice = 3", 1, "expected one of"),
            ("[required_by_days]\nroutine = 3", 2, "routine_maintenance"),
            ("routine_after_days = \"long\"", 1, "expected u32"),
        ] {
            let error = Policy::read(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.sentence.contains(word), "{error}");
        }
    }
}
