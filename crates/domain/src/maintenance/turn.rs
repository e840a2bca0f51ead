//! Whether what is planned is begun by itself now: within its window, while there is time for it, and again
//! after a run that was rolled back.
//!
//! Pure: a moment and what is known come in, a verdict goes out.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::schedule::{Expected, told};
use super::{Freeze, Interval, freeze};

/// Who begins what nobody's hand begins, as rows and people read it.
pub const ITSELF: &str = "Upkeep";
/// How long either part of the work takes at least, as far as planning goes, and one of which nothing is known.
pub const AT_LEAST: SignedDuration = SignedDuration::from_mins(15);
const BACK_OFF_FIRST: SignedDuration = SignedDuration::from_mins(5);
const BACK_OFF_MAX: SignedDuration = SignedDuration::from_mins(60);

/// How long something will take, if it took so long at most: databases grow, so half of it more.
pub fn expected_of(longest: Option<SignedDuration>) -> SignedDuration {
    let longest = longest.unwrap_or_default();
    longest.saturating_add(longest / 2).max(AT_LEAST)
}

/// How long nothing is begun after so many runs in one window that were rolled back.
pub fn back_off(times: u32) -> SignedDuration {
    let doubled = times.saturating_sub(1).min(8);
    let wait = BACK_OFF_FIRST * (1 << doubled);
    if times == 0 {
        SignedDuration::ZERO
    } else {
        wait.min(BACK_OFF_MAX)
    }
}

/// All that the verdict depends on.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    pub now: Timestamp,
    /// What it is planned for.
    pub opening: Interval,
    /// How long it will take. What is prepared is prepared before the window opens.
    pub expected: Expected,
    /// Those that concern the database.
    pub freezes: &'a [Freeze],
    /// What became of it in this opening.
    pub rolled_back: Option<&'a RolledBack>,
    /// What has kept it from being begun.
    pub waits_for: Option<&'a str>,
}

/// Runs that were begun in an opening and undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolledBack {
    pub times: u32,
    pub last_at: Timestamp,
    /// Why the last one was.
    pub because: Option<String>,
    /// Who called the last one off.
    pub called_off_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// Its window opens later, and it is too early to prepare for it.
    NotYet,
    Begin {
        /// Not earlier than that.
        from: Timestamp,
        /// Later than that it would not end within the window.
        until: Timestamp,
    },
    /// It is tried again then.
    Again { at: Timestamp },
    /// Nothing is begun in this window any more.
    Missed(Missed<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Missed<'a> {
    CalledOff { by: &'a str },
    Frozen(&'a Freeze),
    RolledBack(&'a RolledBack),
    NotBegun { waits_for: Option<&'a str> },
}

impl<'a> Turn<'a> {
    pub fn verdict(&self) -> Verdict<'a> {
        let Expected { preparing, run } = self.expected;
        let from = later(self.opening.from, -preparing);
        if self.now < from {
            return Verdict::NotYet;
        }
        // A person who called it off does not want it an hour later.
        let called_off = self.rolled_back.and_then(|r| r.called_off_by.as_deref());
        if let Some(by) = called_off {
            return Verdict::Missed(Missed::CalledOff { by });
        }
        if let Some(freeze) = freeze::is_frozen(self.freezes, self.opening) {
            return Verdict::Missed(Missed::Frozen(freeze));
        }
        let until = later(self.opening.to, -preparing.saturating_add(run));
        let next = match self.rolled_back {
            Some(runs) => later(runs.last_at, back_off(runs.times)).max(self.now),
            None => self.now,
        };
        if until < next {
            return Verdict::Missed(match self.rolled_back {
                Some(runs) => Missed::RolledBack(runs),
                None => Missed::NotBegun {
                    waits_for: self.waits_for,
                },
            });
        }
        if self.now < next {
            return Verdict::Again { at: next };
        }
        Verdict::Begin { from, until }
    }
}

/// What people have to know of a window that was missed.
pub fn missed_note(opening: Interval, missed: &Missed<'_>) -> String {
    format!("missed its window of {}: {missed}", told(opening.from))
}

/// Half a sentence.
impl fmt::Display for Missed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CalledOff { by } => write!(f, "it was called off by {by}"),
            Self::Frozen(freeze) => write!(f, "it is in a freeze ({freeze})"),
            Self::RolledBack(runs) => {
                let times = match runs.times {
                    1 => "once".to_owned(),
                    times => format!("{times} times"),
                };
                write!(
                    f,
                    "it was rolled back {times}, and no time was left to try again"
                )?;
                match &runs.because {
                    Some(because) => write!(f, " ({because})"),
                    None => Ok(()),
                }
            }
            Self::NotBegun {
                waits_for: Some(waits_for),
            } => write!(f, "it could not be begun in time ({waits_for})"),
            Self::NotBegun { waits_for: None } => f.write_str(
                "it was not begun in time: Upkeep did not run, or something else was done to the database",
            ),
        }
    }
}

/// What a person reads while it is waited for the next try.
pub fn again_note(at: Timestamp) -> String {
    format!("it is tried again at {}", told(at))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    let end = if by.is_negative() {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    };
    at.checked_add(by).unwrap_or(end)
}
