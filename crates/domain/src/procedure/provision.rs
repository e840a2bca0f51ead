//! Provisioning: an instance, a database in it, a role that owns it, and a route to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward, OnlyForward};
use super::{Direction, End, Next, StepSpec, Steps, Verdict};

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

const fn step(
    name: &'static str,
    sentence: &'static str,
    seconds: u64,
    tries: u32,
    direction: Direction,
) -> StepSpec {
    StepSpec {
        name,
        sentence,
        deadline: Duration::from_secs(seconds),
        tries,
        pause: Duration::from_millis(500),
        holds_clients: false,
        direction,
    }
}

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
            Check => step("check", "Checking release and room", 30, 1, Forward),
            CreateInstance => step(
                "create_instance",
                "Making the data directory",
                300,
                2,
                Forward,
            ),
            StartInstance => step("start_instance", "Starting PostgreSQL", 300, 2, Forward),
            CreateDatabase => step(
                "create_database",
                "Making the database and its role",
                60,
                3,
                Forward,
            ),
            // Nothing is lost by trying on: the database is there, only the endpoint is not.
            OpenRoute => step("open_route", "Opening the endpoint", 60, 1_200, OnlyForward),
            Discard => step("discard", "Removing what was made", 300, 1_200, Back),
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
