//! The changeover, step by step. `prepare` is unfelt, `switch` holds clients, `settle` is behind the
//! point of no return, `back` undoes.

mod back;
mod prepare;
mod settle;
mod switch;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::Target;

use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changeover {
    pub(crate) host: HostId,
    pub(crate) dbname: String,
    pub(crate) old: InstanceId,
    pub(crate) replacement: InstanceId,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    /// Keeps the old primary's WAL for the replacement.
    pub(crate) slot: String,
    #[serde(default)]
    pub(crate) seen: Seen,
}

/// What the steps found out on their way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The replacement as the endpoint knows it.
    pub(crate) target: Option<Target>,
    /// Everything acknowledged before it is in the WAL before it.
    pub(crate) marker: Option<Lsn>,
    pub(crate) timeline_before: Option<TimelineId>,
    pub(crate) timeline_after: Option<TimelineId>,
    /// Fences that found a commit behind the marker.
    pub(crate) fence_rounds: u32,
}

#[async_trait]
impl Run for Changeover {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::BaseBackup => self.base_backup(visit).await,
            Step::StartReplacement => self.start_replacement(visit).await,
            Step::CatchUp => self.catch_up(visit).await,
            Step::Checkpoint => self.checkpoint(visit).await,
            Step::PrepareSessions => self.prepare_sessions(visit).await,
            Step::CheckAgain => self.check_again(visit).await,
            Step::Hold => self.hold(visit).await,
            Step::Mark => self.mark(visit).await,
            Step::Seal => self.seal(visit).await,
            Step::Fence => self.fence(visit).await,
            Step::Unfence => self.unfence(visit).await,
            Step::Disarm => self.disarm(visit).await,
            Step::Promote => self.promote(visit).await,
            Step::Release => self.release(visit).await,
            Step::EndOld => self.end_old(visit).await,
            Step::Prove => self.prove(visit).await,
            Step::Rearm => self.rearm(visit).await,
            Step::Thaw => self.thaw(visit).await,
            Step::ReleaseOld => self.release_old(visit).await,
            Step::DiscardReplacement => self.discard_replacement(visit).await,
        }
    }
}
