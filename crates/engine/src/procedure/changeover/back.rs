//! The way back, after the switch has undone itself: the replacement goes.

use upkeep_domain::host_command::HostCommand;
use upkeep_store::Change;

use super::Changeover;
use crate::workflow::{Done, Failure, Visit};

impl Changeover {
    pub(super) async fn discard_replacement(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(
                self.switch.host,
                0,
                HostCommand::RemoveInstance {
                    instance: self.switch.new,
                },
            )
            .await?;
        let slot = self.slot.clone();
        visit
            .command(
                self.switch.host,
                1,
                HostCommand::DropSlot {
                    instance: self.switch.old,
                    slot,
                },
            )
            .await?;
        Ok(Done::new().with(Change::DeleteInstance {
            id: self.switch.new,
        }))
    }
}
