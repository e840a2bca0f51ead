//! What is to be planned for a database: its reasons are found, and its time. Found again, what is planned
//! changes with its reasons and goes with them.
//!
//! Pure: a moment and how a database stands come in, a decision goes out. How it is carried out (the method)
//! depends on instances, and is chosen when the plan is written.

mod time;
#[cfg(test)]
mod year;

use jiff::Timestamp;

use super::standing::{Outline, Standing, Waiting};
use super::{Due, Found, Policy, Reason, Requirement};
use crate::id::MaintenanceId;
use crate::notice::Kind;
use crate::plan::Plan;
use crate::release::{Catalogue, Release, knowledge};

pub use time::Time;

/// What is the same for every database.
#[derive(Clone, Copy, Debug)]
pub struct Planning<'a> {
    pub now: Timestamp,
    pub catalogue: &'a Catalogue,
    pub policy: &'a Policy,
}

#[derive(Debug)]
pub enum Decision<'a> {
    /// Nothing is due, or what is due is planned as it should be.
    Keep,
    /// There is no reason for it any more.
    Withdraw {
        planned: MaintenanceId,
        scheduled_for: Option<Timestamp>,
    },
    Plan(Wanted<'a>),
}

/// A maintenance as it is to be planned.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub due: Due,
    pub target: &'a Release,
    pub time: Time,
}

/// What people are told of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    Scheduled,
    Changed,
    /// It is done now, whatever windows and freezes say.
    Emergency,
    /// It was rolled back, and stays planned for when it was.
    Again,
    /// Its window was missed.
    Missed {
        because: String,
    },
}

impl Notice {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Scheduled => Kind::Scheduled,
            Self::Changed => Kind::Changed,
            Self::Emergency => Kind::Emergency,
            Self::Again => Kind::Again,
            Self::Missed { .. } => Kind::Missed,
        }
    }

    pub fn because(&self) -> Option<&str> {
        match self {
            Self::Missed { because } => Some(because),
            Self::Scheduled | Self::Changed | Self::Emergency | Self::Again => None,
        }
    }
}

impl<'a> Planning<'a> {
    /// `plan` is the one that the database has bought.
    pub fn decide(&self, standing: &Standing, plan: &Plan) -> Decision<'a> {
        // A release that is gone from the store tells nothing of what could be done.
        let present = self.catalogue.find(&standing.release).ok();
        let found = present.and_then(|present| self.find(present, standing));
        match (found, &standing.planned) {
            (None, None) => Decision::Keep,
            (None, Some(planned)) => Decision::Withdraw {
                planned: planned.id,
                scheduled_for: planned.scheduled_for,
            },
            (Some((due, target)), planned) => {
                let wanted = self.wanted(standing, plan, due, target);
                match planned {
                    Some(planned) if wanted.is_as(planned) => Decision::Keep,
                    _ => Decision::Plan(wanted),
                }
            }
        }
    }

    fn wanted(
        &self,
        standing: &Standing,
        plan: &Plan,
        due: Due,
        target: &'a Release,
    ) -> Wanted<'a> {
        let (window, notice) = (standing.window(plan), self.policy.notice(plan));
        let time = time::time(self.now, standing, &due, target, &window, notice);
        Wanted { due, target, time }
    }

    /// All reasons that are found, and the release that the database is to run on for them.
    fn find(&self, present: &'a Release, standing: &Standing) -> Option<(Due, &'a Release)> {
        let mut found = Vec::new();
        let newest = self.catalogue.newest_after(present);
        if let Some(newest) = newest {
            // From when on there was something newer for it.
            let newer = self.catalogue.newer(present);
            let added = newer.map(|release| release.added_ms).min();
            let added = Timestamp::from_millisecond(added.unwrap_or_default() as i64);
            let since = added.unwrap_or_default().max(standing.created_at);
            found.extend(reasons_of(present, newest).map(|reason| Found { reason, since }));
        }
        let since = self.policy.routine_from(standing.maintained_at);
        if since <= self.now {
            let last_at = standing.maintained_at;
            let reason = Reason::Routine { last_at };
            found.push(Found { reason, since });
        }
        found.extend(standing.waiting.as_ref().map(Waiting::found));
        found.extend(standing.required.as_ref().map(Requirement::found));
        let due = Due::merge(found, self.policy)?;
        Some((due, newest.unwrap_or(present)))
    }
}

fn reasons_of(present: &Release, newest: &Release) -> impl Iterator<Item = Reason> {
    let (version, to) = (present.version, newest.version);
    let withdrawn = knowledge::withdrawn(version).map(|because| Reason::WithdrawnRelease {
        version,
        because: because.to_owned(),
    });
    let newer = if knowledge::closes_holes(version, to) {
        Reason::SecurityRelease { to }
    } else {
        Reason::MinorRelease { to }
    };
    withdrawn.into_iter().chain([newer])
}

impl Wanted<'_> {
    fn is_as(&self, planned: &Outline) -> bool {
        let Self { due, target, time } = self;
        planned.required_by == Some(due.required_by)
            && planned.release_after == target.name.as_str()
            && planned.reason_because == Some(due.to_string())
            && planned.scheduled_for == time.scheduled_for
            && planned.schedule_note == time.note
    }
}
