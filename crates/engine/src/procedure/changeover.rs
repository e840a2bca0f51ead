//! The changeover: the replacement is built, the switch puts it in the primary's place, the old
//! primary is retired.

mod back;
mod prepare;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::preflight::{Report, Waiver};
use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_store::Change;

use super::shared::Switch;
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changeover {
    /// From the primary to its replacement.
    pub(crate) switch: Switch,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    /// Keeps the old primary's WAL for the replacement.
    pub(crate) slot: String,
    #[serde(default)]
    pub(crate) waivers: Vec<Waiver>,
    /// Made by this visit, and not recorded yet.
    #[serde(skip)]
    pub(crate) report: Option<Report>,
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
            Step::Checkpoint => self.switch.checkpoint(visit).await,
            Step::PrepareSessions => self.switch.prepare_sessions(visit).await,
            Step::CheckAgain => self.check_again(visit).await,
            Step::Hold => self.switch.hold(visit).await,
            Step::Mark => self.switch.mark(visit).await,
            Step::Seal => self.switch.seal(visit).await,
            Step::Fence => self.switch.fence(visit).await,
            Step::Unfence => self.switch.unfence(visit).await,
            Step::Disarm => self.switch.disarm(visit).await,
            Step::Promote => self.switch.promote(visit).await,
            Step::Release => self.switch.release(visit).await,
            Step::EndOld => self.switch.end_old(visit).await,
            Step::Prove => {
                let proven = self.switch.prove(visit).await?;
                Ok(proven.with(Change::Retire {
                    id: self.switch.old,
                    grace: visit.world.retire_grace,
                }))
            }
            Step::Rearm => self.switch.rearm(visit).await,
            Step::Thaw => self.switch.thaw(visit).await,
            Step::ReleaseOld => self.switch.release_old(visit).await,
            Step::DiscardReplacement => self.discard_replacement(visit).await,
        }
    }

    fn to_record(&mut self) -> Vec<Change> {
        let report = self.report.take().map(Box::new);
        report
            .map(|report| Change::Preflight { report })
            .into_iter()
            .collect()
    }
}
