//! Faults, and where they come: the n-th call that a step's visit makes.
//!
//! The driver runs each workflow in a task of its own, so the task tells whose call it is; calls of
//! other tasks, such as sweeps, are never disturbed and never counted.

use std::collections::{BTreeMap, HashMap};

use tokio::task;
use upkeep_domain::host_command::HostError;
use upkeep_domain::ports::TrafficError;
use upkeep_domain::refusal::Refusal;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused, nothing done. The endpoint does not refuse: there it is [`Fault::Failed`].
    Refused,
    /// Failed, nothing done.
    Failed,
    /// Done, and said to have failed.
    FailedAfter,
    /// Not done, and nobody knows.
    RequestLost,
    /// Done, and nobody knows.
    AnswerLost,
    /// Not done; the caller waits for ever.
    HangBefore,
    /// Done; the caller waits for ever.
    HangAfter,
}

/// The `call`-th call, from 0, of a visit of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub procedure: &'static str,
    pub step: &'static str,
    pub call: u32,
}

/// How a call is to be made.
pub(super) enum Doing<E> {
    Really,
    Not(E),
    ButSaying(E),
}

struct Planned {
    place: Place,
    fault: Fault,
    for_ever: bool,
}

struct Visit {
    procedure: String,
    step: String,
    calls: u32,
}

#[derive(Default)]
pub(super) struct Faults {
    visits: HashMap<task::Id, Visit>,
    planned: Vec<Planned>,
    /// Of each step's calls, whether they change anything.
    calls: BTreeMap<(String, String), Vec<bool>>,
}

impl Faults {
    pub(super) fn enter(&mut self, procedure: &str, step: &str) {
        if let Some(task) = task::try_id() {
            let visit = Visit {
                procedure: procedure.to_owned(),
                step: step.to_owned(),
                calls: 0,
            };
            self.visits.insert(task, visit);
        }
    }

    pub(super) fn plan(&mut self, place: Place, fault: Fault, for_ever: bool) {
        self.planned.push(Planned {
            place,
            fault,
            for_ever,
        });
    }

    pub(super) fn forget_planned(&mut self) {
        self.planned.clear();
    }

    pub(super) fn calls_made(&self, procedure: &str, step: &str) -> Vec<bool> {
        let key = (procedure.to_owned(), step.to_owned());
        self.calls.get(&key).cloned().unwrap_or_default()
    }

    /// Whether the call that is being made may be a workflow's: where visits are told of, one that is
    /// not of a visit is a sweep's.
    pub(super) fn may_be_a_visit(&self) -> bool {
        self.visits.is_empty() || task::try_id().is_some_and(|task| self.visits.contains_key(&task))
    }

    /// The fault of the call that is being made, if one is planned.
    pub(super) fn next(&mut self, changes: bool) -> Option<Fault> {
        let visit = self.visits.get_mut(&task::try_id()?)?;
        let call = visit.calls;
        visit.calls += 1;
        let key = (visit.procedure.clone(), visit.step.clone());
        let calls = self.calls.entry(key).or_default();
        if calls.len() < visit.calls as usize {
            calls.push(changes);
        }
        let at = self.planned.iter().position(|planned| {
            planned.place.procedure == visit.procedure
                && planned.place.step == visit.step
                && planned.place.call == call
        })?;
        let fault = self.planned[at].fault;
        if !self.planned[at].for_ever {
            self.planned.remove(at);
        }
        Some(fault)
    }
}

/// An error type that can say each kind of failure.
pub(super) trait Answerable {
    fn refused() -> Self;
    fn failed() -> Self;
    fn unknown() -> Self;
}

const SENTENCE: &str = "as the simulation was told";

impl Answerable for HostError {
    fn refused() -> Self {
        let refusal = Refusal::invalid(SENTENCE);
        Self::Refused { refusal }
    }

    fn failed() -> Self {
        let sentence = SENTENCE.to_owned();
        Self::Failed { sentence }
    }

    fn unknown() -> Self {
        let sentence = SENTENCE.to_owned();
        Self::Unknown { sentence }
    }
}

impl Answerable for TrafficError {
    fn refused() -> Self {
        Self::failed()
    }

    fn failed() -> Self {
        let sentence = SENTENCE.to_owned();
        Self::Failed { sentence }
    }

    fn unknown() -> Self {
        let sentence = SENTENCE.to_owned();
        Self::Unknown { sentence }
    }
}
