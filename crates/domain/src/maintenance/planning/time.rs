//! For when a maintenance is planned: what people have been told stays, as long as it is possible. A window in which
//! nothing can be begun any more is missed, and another one is taken.

use jiff::{SignedDuration, Timestamp};

use super::Notice;
use crate::maintenance::freeze::{self, moved_note};
use crate::maintenance::reason::Kind;
use crate::maintenance::schedule::{self, Terms};
use crate::maintenance::standing::{Standing, Undone};
use crate::maintenance::turn::{Missed, Verdict, missed_note};
use crate::maintenance::{Due, Window};
use crate::release::Release;

/// When it is planned for, and what people have to know of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    pub scheduled_for: Option<Timestamp>,
    pub note: Option<String>,
    /// When it was to be before, of one that takes the place of a run that was rolled back.
    pub previously: Option<Timestamp>,
    pub notice: Notice,
}

/// For when people know that it is planned.
struct Told {
    at: Timestamp,
    note: Option<String>,
    /// If it is kept.
    notice: Notice,
    in_emergency: bool,
}

pub(super) fn time(
    now: Timestamp,
    standing: &Standing,
    due: &Due,
    target: &Release,
    window: &Window,
    notice: SignedDuration,
) -> Time {
    if let Some(since) = standing.emergency_since() {
        return emergency(now, since, standing, target);
    }
    let anew = |notice| time_anew(now, standing, due, window, notice);
    let Some(told) = told(standing, target) else {
        let anew = anew(notice);
        return still_without_time(standing, due, &anew).unwrap_or(anew);
    };
    // It was taken back: what else is due has its window, as ever.
    if told.in_emergency {
        return Time {
            previously: Some(told.at),
            notice: Notice::Changed,
            ..anew(notice)
        };
    }
    let turn = standing.turn(now, told.at);
    let frozen = freeze::is_frozen(&standing.freezes, turn.opening);
    let missed = match turn.verdict() {
        // It is required sooner than people were told, or they do not want it then any more.
        Verdict::NotYet if due.required_by < turn.opening.to || frozen.is_some() => {
            let anew = anew(notice);
            // Planned already for the best there is: people need not hear it again.
            if anew.scheduled_for == Some(told.at) && is_required_as_told(standing, due) {
                return told.kept();
            }
            return Time {
                note: joined(anew.note, frozen.map(moved_note)),
                previously: Some(told.at),
                notice: Notice::Changed,
                ..anew
            };
        }
        Verdict::NotYet | Verdict::Begin { .. } | Verdict::Again { .. } => {
            return told.kept();
        }
        Verdict::Missed(missed) => missed,
    };
    // People know of it since it was planned for the first time.
    let anew = anew(SignedDuration::ZERO);
    Time {
        scheduled_for: anew.scheduled_for,
        note: joined(anew.note, Some(missed_note(turn.opening, &missed))),
        previously: Some(told.at),
        notice: Notice::Missed {
            because: missed.to_string(),
        },
    }
}
/// Now, and again when that has come to nothing; unless a person called it off since.
fn emergency(now: Timestamp, since: Timestamp, standing: &Standing, target: &Release) -> Time {
    let told = told(standing, target);
    let previously = told.as_ref().map(|told| told.at);
    if let Some(told) = told.filter(|told| (since..=now).contains(&told.at)) {
        match standing.turn(now, told.at).verdict() {
            Verdict::Missed(missed) if !matches!(missed, Missed::CalledOff { .. }) => {}
            _ => return told.kept(),
        }
    }
    Time {
        scheduled_for: Some(now.max(since)),
        note: Some("an emergency: it waits for no window".to_owned()),
        previously,
        notice: Notice::Emergency,
    }
}

impl Told {
    fn kept(self) -> Time {
        Time {
            scheduled_for: Some(self.at),
            note: self.note,
            previously: None,
            notice: self.notice,
        }
    }
}

/// What has no time, and has none now: people were told why.
fn still_without_time(standing: &Standing, due: &Due, anew: &Time) -> Option<Time> {
    let planned = standing.planned.as_ref()?;
    let is_so = anew.scheduled_for.is_none() && is_required_as_told(standing, due);
    is_so.then(|| Time {
        scheduled_for: None,
        note: planned.schedule_note.clone(),
        previously: None,
        notice: Notice::Changed,
    })
}

fn is_required_as_told(standing: &Standing, due: &Due) -> bool {
    let planned = standing.planned.as_ref();
    planned.is_some_and(|planned| planned.required_by == Some(due.required_by))
}

fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    let notes: Vec<String> = first.into_iter().chain(second).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// The first opening that fits, or the first one that is merely late.
fn time_anew(
    now: Timestamp,
    standing: &Standing,
    due: &Due,
    window: &Window,
    notice: SignedDuration,
) -> Time {
    let terms = Terms {
        now,
        window,
        notice,
        required_by: due.required_by,
        freezes: &standing.freezes,
        expected: standing.expected(),
    };
    let (scheduled_for, note) = match schedule::schedule(&terms) {
        Ok(scheduled) => (Some(scheduled.opening.from), scheduled.note()),
        Err(cannot_fit) => (
            cannot_fit.overdue.map(|opening| opening.from),
            Some(format!("overdue: {}", cannot_fit.because)),
        ),
    };
    Time {
        scheduled_for,
        note,
        previously: None,
        notice: match standing.planned {
            Some(_) => Notice::Changed,
            None => Notice::Scheduled,
        },
    }
}

/// One that was rolled back is not planned any more, and people still wait for it.
fn told(standing: &Standing, target: &Release) -> Option<Told> {
    if let Some(planned) = &standing.planned {
        return Some(Told {
            at: planned.scheduled_for?,
            note: planned.schedule_note.clone(),
            notice: Notice::Changed,
            in_emergency: planned.reason == Kind::Emergency.as_str(),
        });
    }
    let undone = standing.undone.as_ref();
    let still_due = |undone: &&Undone| {
        undone.last_at > standing.maintained_at && undone.release_after == target.name.as_str()
    };
    undone.filter(still_due).map(|undone| Told {
        at: undone.scheduled_for,
        note: Some("again, for it was rolled back".to_owned()),
        notice: Notice::Again,
        in_emergency: undone.reason == Kind::Emergency.as_str(),
    })
}
