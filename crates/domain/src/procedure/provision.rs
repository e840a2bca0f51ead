//! Provisioning: an instance, a database in it, a role that owns it, and a route to it.

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward, OnlyForward};
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    CreateInstance,
    StartInstance,
    CreateDatabase,
    OpenRoute,
    Discard,
}

use Step::*;

impl Steps for Step {
    const PROCEDURE: &'static str = "provision";
    const ALL: &'static [Self] = &[
        Check,
        CreateInstance,
        StartInstance,
        CreateDatabase,
        OpenRoute,
        Discard,
    ];

    fn spec(self) -> StepSpec {
        match self {
            Check => StepSpec::new("check", "Checking release and room", 30, 1, Forward),
            CreateInstance => StepSpec::new(
                "create_instance",
                "Making the data directory",
                300,
                2,
                Forward,
            ),
            StartInstance => {
                StepSpec::new("start_instance", "Starting PostgreSQL", 300, 2, Forward)
            }
            CreateDatabase => StepSpec::new(
                "create_database",
                "Making the database and its role",
                60,
                3,
                Forward,
            ),
            // Nothing is lost by trying on: the database is there, only the endpoint is not.
            OpenRoute => {
                StepSpec::new("open_route", "Opening the endpoint", 60, 1_200, OnlyForward)
            }
            Discard => StepSpec::new("discard", "Removing what was made", 300, 1_200, Back),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (Check, Verdict::Done) => Next::Step(CreateInstance),
            (CreateInstance, Verdict::Done) => Next::Step(StartInstance),
            (StartInstance, Verdict::Done) => Next::Step(CreateDatabase),
            (CreateDatabase, Verdict::Done) => Next::Step(OpenRoute),
            (OpenRoute, Verdict::Done) => Next::End(End::Succeeded),
            (Check, _) => Next::End(End::RolledBack),
            (CreateInstance | StartInstance | CreateDatabase, _) => Next::Step(Discard),
            (Discard, Verdict::Done) => Next::End(End::RolledBack),
            (OpenRoute | Discard, _) => Next::End(End::Stuck),
        }
    }
}
