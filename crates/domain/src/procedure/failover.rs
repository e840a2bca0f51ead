//! The failover: the standby that is there already is patched, proven, and takes over; the old primary
//! comes back as its standby.
//!
//! The switch is the changeover's, step by step. What is different is where the new server comes from
//! and what becomes of the old one. An aborted failover leaves the patched standby where it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Direction::{Forward, OnlyForward};
use super::{End, Next, StepSpec, Steps, Verdict, changeover};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    PatchStandby,
    CatchUp,
    Soak,
    PointFollowers,
    Checkpoint,
    PrepareSessions,
    CheckAgain,
    Hold,
    Mark,
    Seal,
    Fence,
    Unfence,
    Disarm,
    Promote,
    Release,
    EndOld,
    Prove,
    Rejoin,
    DiscardOld,
    ProveFollowers,
    CopyFollower,
    StartFollower,
    CatchUpFollower,
    MoveReaders,
    Rearm,
    Thaw,
    ReleaseOld,
    PointBack,
}

use Step::*;

const HOUR: u64 = 3_600;

impl Steps for Step {
    const PROCEDURE: &'static str = "failover";
    const ALL: &'static [Self] = &[
        Check,
        PatchStandby,
        CatchUp,
        Soak,
        PointFollowers,
        Checkpoint,
        PrepareSessions,
        CheckAgain,
        Hold,
        Mark,
        Seal,
        Fence,
        Unfence,
        Disarm,
        Promote,
        Release,
        EndOld,
        Prove,
        Rejoin,
        DiscardOld,
        ProveFollowers,
        CopyFollower,
        StartFollower,
        CatchUpFollower,
        MoveReaders,
        Rearm,
        Thaw,
        ReleaseOld,
        PointBack,
    ];

    fn spec(self) -> StepSpec {
        match self {
            PatchStandby => StepSpec::new(
                "patch_standby",
                "Starting the standby on the new release",
                600,
                2,
                Forward,
            ),
            CatchUp => StepSpec::new(
                "catch_up",
                "Waiting until the standby has caught up",
                6 * HOUR,
                1,
                Forward,
            ),
            Soak => StepSpec::new(
                "soak",
                "Watching the standby on its new release for a while",
                2 * HOUR,
                1,
                Forward,
            ),
            // Clients have long gone on; a server that does not come back is not waited for.
            Rejoin => StepSpec {
                pause: Duration::from_secs(2),
                ..StepSpec::new(
                    "rejoin",
                    "Bringing the old primary back as the standby",
                    HOUR,
                    3,
                    OnlyForward,
                )
            },
            DiscardOld => StepSpec::new(
                "discard_old",
                "Removing the old primary, in whose place a standby will be built",
                300,
                1_200,
                OnlyForward,
            ),
            same => {
                let spec = same.of_the_switch().spec();
                let sentence = match same {
                    PointFollowers => "Letting followers stream from the standby already",
                    PrepareSessions => "Opening spare sessions on the standby",
                    Mark => "Proving that the standby has every commit",
                    Promote => "Promoting the standby",
                    _ => spec.sentence,
                };
                StepSpec { sentence, ..spec }
            }
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match verdict {
            Verdict::Done => self.after_done(),
            // The world has moved under it.
            Verdict::Again if self == Fence => Next::Step(Unfence),
            // One of them does not follow.
            Verdict::Again if self == ProveFollowers => Next::Step(CopyFollower),
            Verdict::Again | Verdict::Failed => self.after_failure(),
        }
    }
}

impl Step {
    /// The step of a changeover that does the same.
    fn of_the_switch(self) -> changeover::Step {
        match self {
            Check => changeover::Step::Check,
            PatchStandby => changeover::Step::StartReplacement,
            CatchUp | Soak => changeover::Step::CatchUp,
            PointFollowers => changeover::Step::PointFollowers,
            Checkpoint => changeover::Step::Checkpoint,
            PrepareSessions => changeover::Step::PrepareSessions,
            CheckAgain => changeover::Step::CheckAgain,
            Hold => changeover::Step::Hold,
            Mark => changeover::Step::Mark,
            Seal => changeover::Step::Seal,
            Fence => changeover::Step::Fence,
            Unfence => changeover::Step::Unfence,
            Disarm => changeover::Step::Disarm,
            Promote => changeover::Step::Promote,
            Release => changeover::Step::Release,
            EndOld => changeover::Step::EndOld,
            Prove | Rejoin | DiscardOld => changeover::Step::Prove,
            ProveFollowers => changeover::Step::ProveFollowers,
            CopyFollower => changeover::Step::CopyFollower,
            StartFollower => changeover::Step::StartFollower,
            CatchUpFollower => changeover::Step::CatchUpFollower,
            MoveReaders => changeover::Step::MoveReaders,
            Rearm => changeover::Step::Rearm,
            Thaw => changeover::Step::Thaw,
            ReleaseOld => changeover::Step::ReleaseOld,
            PointBack => changeover::Step::PointBack,
        }
    }

    fn after_done(self) -> Next<Self> {
        Next::Step(match self {
            Check => PatchStandby,
            PatchStandby => CatchUp,
            CatchUp => Soak,
            Soak => PointFollowers,
            PointFollowers => Checkpoint,
            Checkpoint => PrepareSessions,
            PrepareSessions => CheckAgain,
            CheckAgain => Hold,
            Hold | Unfence => Mark,
            Mark => Seal,
            Seal => Fence,
            Fence => Disarm,
            Disarm => Promote,
            Promote => Release,
            Release => EndOld,
            EndOld => Prove,
            // With its standby it is safe again: before followers, which may take long.
            Prove => Rejoin,
            Rejoin | DiscardOld | MoveReaders => ProveFollowers,
            ProveFollowers => return Next::End(End::Succeeded),
            CopyFollower => StartFollower,
            StartFollower => CatchUpFollower,
            CatchUpFollower => MoveReaders,
            Rearm => Thaw,
            Thaw => ReleaseOld,
            ReleaseOld => PointBack,
            PointBack => return Next::End(End::RolledBack),
        })
    }

    fn after_failure(self) -> Next<Self> {
        match self {
            // Nothing was touched yet.
            Check => Next::End(End::RolledBack),
            // Whatever was the trouble, the old primary runs before anyone is released onto it.
            PatchStandby | CatchUp | Soak | PointFollowers | Checkpoint | PrepareSessions
            | CheckAgain | Hold | Mark | Seal => Next::Step(Thaw),
            // From here the old primary may be frozen or disarmed: undo both before anyone is released.
            // For `promote` a failure means that it is *proven* that nobody asked the standby.
            Fence | Unfence | Disarm | Promote => Next::Step(Rearm),
            // It is disposable: the database has its primary, and a standby can be built anew.
            Rejoin => Next::Step(DiscardOld),
            Release | EndOld | Prove | DiscardOld | ProveFollowers | CopyFollower
            | StartFollower | CatchUpFollower | MoveReaders | Rearm | Thaw | ReleaseOld
            | PointBack => Next::End(End::Stuck),
        }
    }
}
