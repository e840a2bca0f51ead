//! Destroying a database: its route first, so that nobody is surprised, then its instances.

use serde::{Deserialize, Serialize};

use super::Direction::OnlyForward;
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    CloseRoute,
    RemoveInstances,
}

use Step::*;

impl Steps for Step {
    const PROCEDURE: &'static str = "destroy";
    const ALL: &'static [Self] = &[CloseRoute, RemoveInstances];

    fn spec(self) -> StepSpec {
        let (name, sentence) = match self {
            CloseRoute => ("close_route", "Closing the endpoint"),
            RemoveInstances => ("remove_instances", "Removing its instances"),
        };
        StepSpec::new(name, sentence, 300, 1_200, OnlyForward)
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (CloseRoute, Verdict::Done) => Next::Step(RemoveInstances),
            (RemoveInstances, Verdict::Done) => Next::End(End::Succeeded),
            (CloseRoute | RemoveInstances, _) => Next::End(End::Stuck),
        }
    }
}
