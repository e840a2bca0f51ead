//! How a database stands at which nothing is being done: what planning has to know of it.

use jiff::{SignedDuration, Timestamp};

use super::method::Method;
use super::schedule::Expected;
use super::turn::{RolledBack, Turn, expected_of};
use super::{Found, Freeze, Reason, Requirement, Window};
use crate::id::{DatabaseId, MaintenanceId};
use crate::plan::Plan;

#[derive(Clone, Debug)]
pub struct Standing {
    pub database: DatabaseId,
    pub plan: String,
    pub is_follower: bool,
    /// That of its primary.
    pub release: String,
    pub chosen_window: Option<Window>,
    /// Those that concern it.
    pub freezes: Vec<Freeze>,
    pub created_at: Timestamp,
    /// When it was last maintained with success; when it was made, if never.
    pub maintained_at: Timestamp,
    pub planned: Option<Outline>,
    pub undone: Option<Undone>,
    /// What a person requires of it, and has not been done.
    pub required: Option<Requirement>,
    /// Of a follower they are not: it is never restarted.
    pub waiting: Option<Waiting>,
    /// Of its last successful runs, by the planned method if one is planned.
    pub longest: Longest,
}

/// The longest that earlier runs took, if there were any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Longest {
    /// Before the window: a replacement is built and follows.
    pub preparing: Option<SignedDuration>,
    /// All the rest.
    pub run: Option<SignedDuration>,
}

/// What is planned, as far as it may change with its reasons.
#[derive(Clone, Debug)]
pub struct Outline {
    pub id: MaintenanceId,
    pub method: String,
    pub reason: String,
    pub reason_because: Option<String>,
    pub release_after: String,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    pub schedule_note: Option<String>,
    /// Why it was not begun, though its window is open.
    pub waits_for: Option<String>,
}

/// Settings that wait for a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Never empty.
    pub names: Vec<String>,
    pub since: Timestamp,
}

/// The last run of what was planned, if it was rolled back.
#[derive(Clone, Debug)]
pub struct Undone {
    pub reason: String,
    pub scheduled_for: Timestamp,
    pub release_after: String,
    pub last_at: Timestamp,
    /// Of those that ended in the window or were prepared for it; those that people began before it do not count.
    pub in_window: Option<RolledBack>,
}

impl Waiting {
    pub fn found(&self) -> Found {
        let names = self.names.clone();
        Found {
            reason: Reason::WaitingSettings { names },
            since: self.since,
        }
    }
}

impl Standing {
    /// When it is worked on, on every plan.
    pub fn window(&self, plan: &Plan) -> Window {
        Window::of_work(self.database, plan, self.chosen_window.as_ref())
    }

    /// Since when it has to be done whatever windows and freezes say.
    pub fn emergency_since(&self) -> Option<Timestamp> {
        let required = self.required.as_ref();
        let emergency = required.filter(|required| required.emergency);
        emergency.map(|required| required.since)
    }

    /// How long the work will take. What builds nothing has nothing to prepare, and followers are changed over wholly
    /// within their window.
    pub fn expected(&self) -> Expected {
        let Longest { preparing, run } = self.longest;
        let planned = self.planned.as_ref();
        let builds = planned.is_none_or(|planned| planned.method == Method::Changeover.as_str());
        if builds && !self.is_follower {
            return Expected {
                preparing: expected_of(preparing),
                run: expected_of(run),
            };
        }
        let all = preparing
            .unwrap_or_default()
            .saturating_add(run.unwrap_or_default());
        Expected {
            preparing: SignedDuration::ZERO,
            run: expected_of(Some(all)),
        }
    }

    /// Its turn in the window that opens at that time.
    pub fn turn(&self, now: Timestamp, opens_at: Timestamp) -> Turn<'_> {
        let undone = self.undone.as_ref();
        let in_it = undone.filter(|undone| undone.scheduled_for == opens_at);
        let planned = self.planned.as_ref();
        // In an emergency it matters neither how long it takes nor what is frozen.
        let (expected, freezes): (_, &[_]) = match self.emergency_since() {
            Some(_) => (Expected::default(), &[]),
            None => (self.expected(), &self.freezes),
        };
        Turn {
            now,
            opening: Window::opening_at(opens_at),
            expected,
            freezes,
            rolled_back: in_it.and_then(|undone| undone.in_window.as_ref()),
            waits_for: planned.and_then(|planned| planned.waits_for.as_deref()),
        }
    }
}
