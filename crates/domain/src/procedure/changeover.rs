//! The changeover: a replacement on another release is built, follows, and takes over.
//!
//! The order and its reasons are in `docs/workflows.md`. Until the promotion is asked for, every
//! failure leads back to the old primary; from then on the only way is forward.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Direction::{Back, Forward, OnlyForward, PointOfNoReturn};
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    BaseBackup,
    StartReplacement,
    CatchUp,
    AwaitWindow,
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
    ProveFollowers,
    CopyFollower,
    StartFollower,
    CatchUpFollower,
    MoveReaders,
    Rearm,
    Thaw,
    ReleaseOld,
    PointBack,
    DiscardReplacement,
}

use Step::*;

/// What may be done before the window opens: clients do not feel it. The window is waited for behind it.
pub const PREPARING: [Step; 4] = [Check, BaseBackup, StartReplacement, CatchUp];

/// Clients wait: the first tries follow one another at once.
pub(super) const fn held(mut spec: StepSpec) -> StepSpec {
    spec.holds_clients = true;
    spec.pause = Duration::from_millis(5);
    spec
}

/// Nobody waits for it; what is in the way may pass.
const fn slow(mut spec: StepSpec) -> StepSpec {
    spec.pause = Duration::from_secs(1);
    spec
}

pub(super) const HOUR: u64 = 3_600;
/// Tries to put another in the place of a follower that does not follow: then a person has to look.
const FOLLOWER_TRIES: u32 = 5;
/// A read that takes long keeps its session from being moved: ten minutes and more of them are waited for.
const READS_TRIES: u32 = 600;
/// Tries of a step that must come through: about ten minutes of them, at half a second each.
pub(super) const KEEP_TRYING: u32 = 1_200;

impl Steps for Step {
    const PROCEDURE: &'static str = "changeover";
    const ALL: &'static [Self] = &[
        Check,
        BaseBackup,
        StartReplacement,
        CatchUp,
        AwaitWindow,
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
        ProveFollowers,
        CopyFollower,
        StartFollower,
        CatchUpFollower,
        MoveReaders,
        Rearm,
        Thaw,
        ReleaseOld,
        PointBack,
        DiscardReplacement,
    ];

    fn spec(self) -> StepSpec {
        match self {
            Check => StepSpec::new(
                "check",
                "Checking that nothing stands in the way",
                30,
                1,
                Forward,
            ),
            BaseBackup => StepSpec::new(
                "base_backup",
                "Copying the database to its replacement",
                24 * HOUR,
                2,
                Forward,
            ),
            StartReplacement => StepSpec::new(
                "start_replacement",
                "Starting the replacement as a standby",
                300,
                2,
                Forward,
            ),
            CatchUp => StepSpec::new(
                "catch_up",
                "Waiting until the replacement has caught up",
                6 * HOUR,
                3,
                Forward,
            ),
            AwaitWindow => StepSpec::new(
                "await_window",
                "Waiting until its window opens",
                48 * HOUR,
                20,
                Forward,
            ),
            PointFollowers => StepSpec::new(
                "point_followers",
                "Letting followers stream from the replacement already",
                600,
                2,
                Forward,
            ),
            Checkpoint => StepSpec::new(
                "checkpoint",
                "Writing out dirty pages so that the switch is short",
                HOUR,
                2,
                Forward,
            ),
            PrepareSessions => StepSpec::new(
                "prepare_sessions",
                "Opening spare sessions on the replacement",
                60,
                2,
                Forward,
            ),
            CheckAgain => StepSpec::new(
                "check_again",
                "Waiting for transactions that would delay the switch",
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
            Mark => held(StepSpec::new(
                "mark",
                "Proving that the replacement has every commit",
                5,
                2,
                Forward,
            )),
            Seal => held(StepSpec::new(
                "seal",
                "Keeping clients held until the switch is decided",
                2,
                2,
                Forward,
            )),
            Fence => held(StepSpec::new(
                "fence",
                "Fencing the old primary",
                10,
                4,
                Forward,
            )),
            Unfence => held(StepSpec::new(
                "unfence",
                "Letting the old primary go on, to be fenced anew",
                10,
                10,
                Forward,
            )),
            Disarm => held(StepSpec::new(
                "disarm",
                "Making sure that the old primary can never write again",
                5,
                3,
                Forward,
            )),
            Promote => held(StepSpec::new(
                "promote",
                "Promoting the replacement",
                60,
                KEEP_TRYING,
                PointOfNoReturn,
            )),
            Release => held(StepSpec::new(
                "release",
                "Releasing every session onto the new primary",
                30,
                KEEP_TRYING,
                OnlyForward,
            )),
            EndOld => StepSpec::new(
                "end_old",
                "Ending the fenced old primary",
                60,
                KEEP_TRYING,
                OnlyForward,
            ),
            Prove => StepSpec::new(
                "prove",
                "Proving the new primary and measuring what clients felt",
                60,
                KEEP_TRYING,
                OnlyForward,
            ),
            ProveFollowers => StepSpec::new(
                "prove_followers",
                "Proving that every follower follows the new primary",
                600,
                KEEP_TRYING,
                OnlyForward,
            ),
            CopyFollower => slow(StepSpec::new(
                "copy_follower",
                "Copying the database to the replacement of a follower",
                24 * HOUR,
                FOLLOWER_TRIES,
                OnlyForward,
            )),
            StartFollower => slow(StepSpec::new(
                "start_follower",
                "Starting the replacement of a follower",
                300,
                FOLLOWER_TRIES,
                OnlyForward,
            )),
            CatchUpFollower => slow(StepSpec::new(
                "catch_up_follower",
                "Waiting until the replacement of a follower has caught up",
                6 * HOUR,
                FOLLOWER_TRIES,
                OnlyForward,
            )),
            MoveReaders => slow(StepSpec::new(
                "move_readers",
                "Moving the sessions of a follower onto its replacement",
                60,
                READS_TRIES,
                OnlyForward,
            )),
            Rearm => held(StepSpec::new(
                "rearm",
                "Making the old primary able to start as a primary again",
                10,
                KEEP_TRYING,
                Back,
            )),
            Thaw => held(StepSpec::new(
                "thaw",
                "Making sure that the old primary goes on",
                120,
                KEEP_TRYING,
                Back,
            )),
            ReleaseOld => held(StepSpec::new(
                "release_old",
                "Releasing every session on the old primary",
                30,
                KEEP_TRYING,
                Back,
            )),
            PointBack => StepSpec::new(
                "point_back",
                "Letting followers stream from the old primary again",
                600,
                KEEP_TRYING,
                Back,
            ),
            DiscardReplacement => StepSpec::new(
                "discard_replacement",
                "Removing the replacement and what was made for it",
                300,
                KEEP_TRYING,
                Back,
            ),
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
    fn after_done(self) -> Next<Self> {
        Next::Step(match self {
            Check => BaseBackup,
            BaseBackup => StartReplacement,
            StartReplacement => CatchUp,
            CatchUp => AwaitWindow,
            AwaitWindow => PointFollowers,
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
            Prove | MoveReaders => ProveFollowers,
            ProveFollowers => return Next::End(End::Succeeded),
            CopyFollower => StartFollower,
            StartFollower => CatchUpFollower,
            CatchUpFollower => MoveReaders,
            Rearm => Thaw,
            Thaw => ReleaseOld,
            ReleaseOld => PointBack,
            PointBack => DiscardReplacement,
            DiscardReplacement => return Next::End(End::RolledBack),
        })
    }

    fn after_failure(self) -> Next<Self> {
        match self {
            // Nothing was made yet.
            Check => Next::End(End::RolledBack),
            // Whatever was the trouble, the old primary runs before anyone is released onto it.
            BaseBackup | StartReplacement | CatchUp | AwaitWindow | PointFollowers | Checkpoint
            | PrepareSessions | CheckAgain | Hold | Mark | Seal => Next::Step(Thaw),
            // From here the old primary may be frozen or disarmed: undo both before anyone is released.
            // For `promote` a failure means that it is *proven* that nobody asked the replacement.
            Fence | Unfence | Disarm | Promote => Next::Step(Rearm),
            Release | EndOld | Prove | ProveFollowers | CopyFollower | StartFollower
            | CatchUpFollower | MoveReaders | Rearm | Thaw | ReleaseOld | PointBack
            | DiscardReplacement => Next::End(End::Stuck),
        }
    }
}
