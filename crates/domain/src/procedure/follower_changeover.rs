//! The changeover of a follower: another follower of the same leader is built on another release, and its
//! readers are moved onto it.
//!
//! Nothing is promoted and nothing can be lost; all that clients feel is the move. They are moved only
//! when the replacement has all that they may have seen: nobody reads the past.

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward, OnlyForward, PointOfNoReturn};
use super::changeover::{HOUR, KEEP_TRYING, held};
use super::{End, Next, StepSpec, Steps, Verdict, changeover};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    BaseBackup,
    StartReplacement,
    CatchUp,
    PrepareSessions,
    Hold,
    Overtake,
    Release,
    EndOld,
    Prove,
    ReleaseOld,
    DiscardReplacement,
}

use Step::*;

impl Steps for Step {
    const PROCEDURE: &'static str = "follower_changeover";
    const ALL: &'static [Self] = &[
        Check,
        BaseBackup,
        StartReplacement,
        CatchUp,
        PrepareSessions,
        Hold,
        Overtake,
        Release,
        EndOld,
        Prove,
        ReleaseOld,
        DiscardReplacement,
    ];

    fn spec(self) -> StepSpec {
        match self {
            Check => changeover::Step::Check.spec(),
            CatchUp => changeover::Step::CatchUp.spec(),
            Hold => changeover::Step::Hold.spec(),
            DiscardReplacement => changeover::Step::DiscardReplacement.spec(),
            BaseBackup => StepSpec::new(
                "base_backup",
                "Copying the leader to the replacement of its follower",
                24 * HOUR,
                2,
                Forward,
            ),
            StartReplacement => StepSpec::new(
                "start_replacement",
                "Starting the replacement as a follower of the leader",
                300,
                2,
                Forward,
            ),
            PrepareSessions => StepSpec::new(
                "prepare_sessions",
                "Waiting for long reads, and opening spare sessions on the replacement",
                600,
                2,
                Forward,
            ),
            Overtake => held(StepSpec::new(
                "overtake",
                "Proving that the replacement has all that its readers have seen",
                2,
                2,
                Forward,
            )),
            Release => held(StepSpec::new(
                "release",
                "Releasing every session onto the replacement",
                30,
                KEEP_TRYING,
                PointOfNoReturn,
            )),
            EndOld => StepSpec::new(
                "end_old",
                "Stopping the old follower",
                120,
                KEEP_TRYING,
                OnlyForward,
            ),
            Prove => StepSpec::new(
                "prove",
                "Proving that the replacement follows, and measuring what clients felt",
                120,
                KEEP_TRYING,
                OnlyForward,
            ),
            ReleaseOld => held(StepSpec::new(
                "release_old",
                "Releasing every session on the old follower",
                30,
                KEEP_TRYING,
                Back,
            )),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (Check, Verdict::Done) => Next::Step(BaseBackup),
            (BaseBackup, Verdict::Done) => Next::Step(StartReplacement),
            (StartReplacement, Verdict::Done) => Next::Step(CatchUp),
            (CatchUp, Verdict::Done) => Next::Step(PrepareSessions),
            (PrepareSessions, Verdict::Done) => Next::Step(Hold),
            (Hold, Verdict::Done) => Next::Step(Overtake),
            (Overtake, Verdict::Done) => Next::Step(Release),
            (Release, Verdict::Done) => Next::Step(EndOld),
            (EndOld, Verdict::Done) => Next::Step(Prove),
            (Prove, Verdict::Done) => Next::End(End::Succeeded),
            // Nothing was made yet.
            (Check, _) => Next::End(End::RolledBack),
            // Of `release` it is *known* that nobody was moved.
            (
                BaseBackup | StartReplacement | CatchUp | PrepareSessions | Hold | Overtake
                | Release,
                _,
            ) => Next::Step(ReleaseOld),
            (ReleaseOld, Verdict::Done) => Next::Step(DiscardReplacement),
            (DiscardReplacement, Verdict::Done) => Next::End(End::RolledBack),
            (EndOld | Prove | ReleaseOld | DiscardReplacement, _) => Next::End(End::Stuck),
        }
    }
}
