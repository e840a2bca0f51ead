//! The restart: the same server is stopped and started again while its clients are held.
//!
//! The order and its reasons are in `docs/workflows.md`. Until the stop is asked for, every failure
//! lets clients go on where they are; from then on the only way is to start it again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward, OnlyForward, PointOfNoReturn};
use super::changeover::{HOUR, KEEP_TRYING, held};
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    PatchStandby,
    Checkpoint,
    ReadSessions,
    CheckAgain,
    Hold,
    Seal,
    Stop,
    Start,
    Release,
    Prove,
    GoOn,
}

use Step::*;

impl Steps for Step {
    const PROCEDURE: &'static str = "restart";
    const ALL: &'static [Self] = &[
        Check,
        PatchStandby,
        Checkpoint,
        ReadSessions,
        CheckAgain,
        Hold,
        Seal,
        Stop,
        Start,
        Release,
        Prove,
        GoOn,
    ];

    fn spec(self) -> StepSpec {
        match self {
            Check => StepSpec::new(
                "check",
                "Checking that it would start again",
                60,
                1,
                Forward,
            ),
            PatchStandby => StepSpec::new(
                "patch_standby",
                "Starting the standby first with what the restart brings",
                600,
                2,
                Forward,
            ),
            Checkpoint => StepSpec::new(
                "checkpoint",
                "Writing out dirty pages so that the stop is short",
                HOUR,
                2,
                Forward,
            ),
            ReadSessions => StepSpec::new(
                "read_sessions",
                "Reading what sessions have to keep",
                60,
                2,
                Forward,
            ),
            CheckAgain => StepSpec::new(
                "check_again",
                "Waiting for transactions that would delay the stop",
                600,
                1,
                Forward,
            ),
            Hold => StepSpec {
                pause: Duration::from_secs(2),
                ..StepSpec::new(
                    "hold",
                    "Holding every session at a transaction boundary",
                    10,
                    5,
                    Forward,
                )
            },
            Seal => held(StepSpec::new(
                "seal",
                "Keeping clients held until it runs again",
                2,
                2,
                Forward,
            )),
            Stop => held(StepSpec::new(
                "stop",
                "Stopping PostgreSQL",
                60,
                KEEP_TRYING,
                PointOfNoReturn,
            )),
            Start => held(StepSpec::new(
                "start",
                "Starting PostgreSQL",
                300,
                KEEP_TRYING,
                OnlyForward,
            )),
            Release => held(StepSpec::new(
                "release",
                "Releasing every session onto the restarted server",
                30,
                KEEP_TRYING,
                OnlyForward,
            )),
            Prove => StepSpec::new(
                "prove",
                "Proving that it is the same server and measuring what clients felt",
                60,
                KEEP_TRYING,
                OnlyForward,
            ),
            GoOn => held(StepSpec::new(
                "go_on",
                "Letting every session go on where it is",
                30,
                KEEP_TRYING,
                Back,
            )),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match verdict {
            Verdict::Done => self.after_done(),
            Verdict::Again | Verdict::Failed => self.after_failure(),
        }
    }
}

impl Step {
    fn after_done(self) -> Next<Self> {
        Next::Step(match self {
            Check => PatchStandby,
            PatchStandby => Checkpoint,
            Checkpoint => ReadSessions,
            ReadSessions => CheckAgain,
            CheckAgain => Hold,
            Hold => Seal,
            Seal => Stop,
            Stop => Start,
            Start => Release,
            Release => Prove,
            Prove => return Next::End(End::Succeeded),
            GoOn => return Next::End(End::RolledBack),
        })
    }

    fn after_failure(self) -> Next<Self> {
        match self {
            // Nobody is held yet, and the primary was not touched.
            Check | PatchStandby | Checkpoint | ReadSessions | CheckAgain => {
                Next::End(End::RolledBack)
            }
            // For `stop` a failure means that it is *proven* that nobody asked the server to stop.
            Hold | Seal | Stop => Next::Step(GoOn),
            Start | Release | Prove | GoOn => Next::End(End::Stuck),
        }
    }
}
