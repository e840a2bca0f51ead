//! A follower is made: a copy of its leader that streams from it, and takes sessions that read.
//!
//! Nobody feels any of it, and all of it can be thrown away.

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward};
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    BaseBackup,
    StartFollower,
    CatchUp,
    OpenRoute,
    Discard,
}

use Step::*;

const HOUR: u64 = 3_600;

impl Steps for Step {
    const PROCEDURE: &'static str = "follow";
    const ALL: &'static [Self] = &[
        Check,
        BaseBackup,
        StartFollower,
        CatchUp,
        OpenRoute,
        Discard,
    ];

    fn spec(self) -> StepSpec {
        match self {
            Check => StepSpec::new("check", "Checking leader, release and room", 30, 1, Forward),
            BaseBackup => StepSpec::new(
                "base_backup",
                "Copying the leader to its follower",
                24 * HOUR,
                2,
                Forward,
            ),
            StartFollower => {
                StepSpec::new("start_follower", "Starting the follower", 300, 2, Forward)
            }
            CatchUp => StepSpec::new(
                "catch_up",
                "Waiting until the follower has caught up",
                6 * HOUR,
                1,
                Forward,
            ),
            OpenRoute => StepSpec::new(
                "open_route",
                "Opening its address for clients",
                60,
                20,
                Forward,
            ),
            Discard => StepSpec::new("discard", "Removing what was made", 300, 1_200, Back),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (Check, Verdict::Done) => Next::Step(BaseBackup),
            (BaseBackup, Verdict::Done) => Next::Step(StartFollower),
            (StartFollower, Verdict::Done) => Next::Step(CatchUp),
            (CatchUp, Verdict::Done) => Next::Step(OpenRoute),
            (OpenRoute, Verdict::Done) => Next::End(End::Succeeded),
            (Check, _) => Next::End(End::RolledBack),
            (BaseBackup | StartFollower | CatchUp | OpenRoute, _) => Next::Step(Discard),
            (Discard, Verdict::Done) => Next::End(End::RolledBack),
            (Discard, _) => Next::End(End::Stuck),
        }
    }
}
