//! The way back: everything undone, in the order in which it is safe.
//!
//! The replacement was never asked to become a primary, so the old one may take writes again. Every
//! step here can be done when there is nothing to undo.

use serde_json::json;
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::ports::TrafficError;
use upkeep_store::Change;

use super::Changeover;
use crate::workflow::{Done, Failure, Visit};

impl Changeover {
    pub(super) async fn rearm(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Rearm { instance: self.old })
            .await?;
        Ok(Done::new())
    }

    /// Thaws it; if it died meanwhile, whatever the reason, starts it again.
    pub(super) async fn thaw(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Thaw { instance: self.old })
            .await?;
        let old = visit.observe(self.host, self.old).await?;
        if !old.accepts_connections {
            return Err(Failure::Failed(
                "the old primary does not accept connections yet".to_owned(),
            ));
        }
        Ok(Done::new().detail(json!({ "timeline": old.timeline })))
    }

    pub(super) async fn release_old(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        match visit
            .traffic()
            .release(&self.dbname, visit.fence(), &ReleaseOnto::Same)
            .await
        {
            // The lease ended, or the endpoint was started anew: everybody is on the old primary.
            Ok(()) | Err(TrafficError::NotHeld { .. }) => Ok(Done::new()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn discard_replacement(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(
                self.host,
                0,
                HostCommand::RemoveInstance {
                    instance: self.replacement,
                },
            )
            .await?;
        let slot = self.slot.clone();
        visit
            .command(
                self.host,
                1,
                HostCommand::DropSlot {
                    instance: self.old,
                    slot,
                },
            )
            .await?;
        Ok(Done::new().with(Change::DeleteInstance {
            id: self.replacement,
        }))
    }
}
