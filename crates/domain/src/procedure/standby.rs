//! The hidden standby of a database with high availability is built, or built anew.
//!
//! Nobody feels any of it, and all of it can be thrown away.

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward};
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Clear,
    Check,
    BaseBackup,
    StartStandby,
    CatchUp,
    Register,
    Discard,
}

use Step::*;

const HOUR: u64 = 3_600;

impl Steps for Step {
    const PROCEDURE: &'static str = "standby";
    const ALL: &'static [Self] = &[
        Clear,
        Check,
        BaseBackup,
        StartStandby,
        CatchUp,
        Register,
        Discard,
    ];

    fn spec(self) -> StepSpec {
        match self {
            // What is broken keeps WAL on the primary and takes the room that the new one needs.
            Clear => StepSpec::new(
                "clear",
                "Removing what is left of the old standby",
                300,
                2,
                Forward,
            ),
            Check => StepSpec::new("check", "Checking release and room", 30, 1, Forward),
            BaseBackup => StepSpec::new(
                "base_backup",
                "Copying the database to its standby",
                24 * HOUR,
                2,
                Forward,
            ),
            StartStandby => StepSpec::new("start_standby", "Starting the standby", 300, 2, Forward),
            CatchUp => StepSpec::new(
                "catch_up",
                "Waiting until the standby has caught up",
                6 * HOUR,
                1,
                Forward,
            ),
            Register => StepSpec::new("register", "Making it the standby", 60, 3, Forward),
            Discard => StepSpec::new("discard", "Removing what was made", 300, 1_200, Back),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (Clear, Verdict::Done) => Next::Step(Check),
            (Check, Verdict::Done) => Next::Step(BaseBackup),
            (BaseBackup, Verdict::Done) => Next::Step(StartStandby),
            (StartStandby, Verdict::Done) => Next::Step(CatchUp),
            (CatchUp, Verdict::Done) => Next::Step(Register),
            (Register, Verdict::Done) => Next::End(End::Succeeded),
            (Clear | Check, _) => Next::End(End::RolledBack),
            (BaseBackup | StartStandby | CatchUp | Register, _) => Next::Step(Discard),
            (Discard, Verdict::Done) => Next::End(End::RolledBack),
            (Discard, _) => Next::End(End::Stuck),
        }
    }
}
