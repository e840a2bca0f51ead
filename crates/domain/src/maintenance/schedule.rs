//! When a maintenance is done: which opening of its window it is given.
//!
//! Pure: a moment and what is known come in, an opening goes out; the same words choose the same one. Who
//! is told of it is decided elsewhere.

mod objection;
mod person;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

use super::{Freeze, Interval, Window};
use objection::Objection;

pub use person::{Week, after_window_change, in_week};

/// All that the choice depends on.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    pub now: Timestamp,
    pub window: &'a Window,
    /// How long before people are told.
    pub notice: SignedDuration,
    pub required_by: Timestamp,
    /// Those that concern the database.
    pub freezes: &'a [Freeze],
    pub expected: Expected,
}

/// How long the work takes, as far as earlier runs tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Before the window: a replacement is built and follows.
    pub preparing: SignedDuration,
    /// Within it.
    pub run: SignedDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduled {
    pub opening: Interval,
    /// No opening fits that leaves people the whole notice.
    pub short_notice: bool,
}

impl Scheduled {
    /// What people have to know of it.
    pub fn note(&self) -> Option<String> {
        const SHORT: &str = "short notice: no later window ends before it is required";
        self.short_notice.then(|| SHORT.to_owned())
    }
}

/// No opening fits before the maintenance is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotFit {
    /// For people: a sentence without its full stop.
    pub because: String,
    /// The first one that fits but for being too late: overdue, and still better than never.
    pub overdue: Option<Interval>,
}

/// More than two years: whatever is required is required sooner, and no freeze that ends is longer.
const OPENINGS_MAX: usize = 120;

/// The first opening that leaves people the whole notice, can be prepared for, ends before the maintenance is
/// required, and lies in no freeze. If there is none, the notice is shortened, as little as it takes: to the last
/// opening that fits.
///
/// # Errors
/// Nothing fits, however short the notice.
pub fn schedule(terms: &Terms<'_>) -> Result<Scheduled, CannotFit> {
    let noticed = later(terms.now, terms.notice);
    let mut short = None;
    for opening in terms.openings_in_time() {
        if terms.objection(opening).is_some() {
            continue;
        }
        let short_notice = opening.from < noticed;
        if !short_notice {
            return Ok(Scheduled {
                opening,
                short_notice,
            });
        }
        short = Some(Scheduled {
            opening,
            short_notice,
        });
    }
    short.ok_or_else(|| terms.cannot_fit())
}

/// What people have to know of an opening that ends too late.
pub fn overdue_note(terms: &Terms<'_>, opening: Interval) -> Option<String> {
    let required_by = terms.required_by;
    let is_late = required_by < opening.to;
    is_late.then(|| format!("overdue: {}", Objection::TooLate { required_by }))
}

impl<'a> Terms<'a> {
    fn openings(&self) -> impl Iterator<Item = Interval> + use<'a> {
        self.window.openings(self.now).take(OPENINGS_MAX)
    }

    fn openings_in_time(&self) -> impl Iterator<Item = Interval> + use<'a> {
        let required_by = self.required_by;
        self.openings()
            .take_while(move |opening| opening.to <= required_by)
    }

    fn objection(&self, opening: Interval) -> Option<Objection<'a>> {
        if opening.from < self.now {
            return Some(Objection::Begun);
        }
        let ready_at = later(self.now, self.expected.preparing);
        if opening.from < ready_at {
            return Some(Objection::NotPrepared { ready_at });
        }
        if opening.duration() < self.expected.run {
            return Some(Objection::TooShort {
                run: self.expected.run,
            });
        }
        if self.required_by < opening.to {
            return Some(Objection::TooLate {
                required_by: self.required_by,
            });
        }
        super::freeze::is_frozen(self.freezes, opening).map(Objection::Frozen)
    }

    fn cannot_fit(&self) -> CannotFit {
        let last = self.openings_in_time().last();
        let because = match last.and_then(|last| Some((last, self.objection(last)?))) {
            Some((last, objection)) => format!(
                "the last window before it is required, {}, is not possible: {objection}",
                told(last.from)
            ),
            None => format!(
                "no window ends before it is required, {}",
                told(self.required_by)
            ),
        };
        let late = Self {
            required_by: Timestamp::MAX,
            ..*self
        };
        let overdue = self
            .openings()
            .find(|opening| late.objection(*opening).is_none());
        CannotFit { because, overdue }
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// As people read it in a sentence.
pub(super) fn told(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
