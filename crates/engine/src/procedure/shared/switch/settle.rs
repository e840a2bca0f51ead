//! Behind the point of no return: only onwards.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::instance::ProcessState;
use upkeep_store::Change;

use super::Switch;
use crate::procedure::shared::with_felt;
use crate::workflow::{Done, Failure, Visit, unexpected};

/// The exit of the old processes costs CPU that the first statements on the new primary need.
const END_OLD_AFTER: Duration = Duration::from_millis(400);

impl Switch {
    pub(crate) async fn release(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let onto = ReleaseOnto::Replacement {
            target: self.target()?,
        };
        visit
            .traffic()
            .release(&self.dbname, visit.fence(), &onto)
            .await?;
        Ok(Done::new().with(Change::Point { primary: self.new }))
    }

    pub(crate) async fn end_old(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        sleep(END_OLD_AFTER).await;
        let end = HostCommand::KillInstance { instance: self.old };
        visit.command(self.host, 0, end).await?;
        let hand_over = HostCommand::HandOverArchive {
            instance: self.old,
            to: self.new,
        };
        match visit.command(self.host, 1, hand_over).await {
            Ok(Outcome::HandedOver { files }) => {
                Ok(Done::new().detail(json!({ "left_to_archive": files })))
            }
            Ok(other) => Err(unexpected(&other)),
            // The switch is done and cannot wait for it; but somebody has to know.
            Err(Failure::Failed(why) | Failure::Final(why)) => {
                let gap = format!("what the old primary had not archived is still with it: {why}");
                Ok(Done::new().remark(Some(gap)))
            }
            Err(unknown) => Err(unknown),
        }
    }

    pub(crate) async fn prove(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let new = visit.observe(self.host, self.new).await?;
        if new.process != ProcessState::Running || new.in_recovery != Some(false) {
            return Err(Failure::Failed(
                "the new primary does not take writes".to_owned(),
            ));
        }
        if new.timeline <= self.seen.timeline_before {
            return Err(Failure::Failed(
                "the new primary is not on a new timeline".to_owned(),
            ));
        }
        let old = visit.observe(self.host, self.old).await?;
        if !matches!(old.process, ProcessState::Stopped | ProcessState::Absent) {
            return Err(Failure::Failed(
                "processes of the old primary are still there".to_owned(),
            ));
        }
        let done = Done::new().detail(json!({ "timeline": new.timeline }));
        with_felt(visit, &self.dbname, done).await
    }
}
