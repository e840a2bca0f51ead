//! Before the hold: the last things that clients do not feel.

use serde_json::json;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::FenceMeans;

use super::Switch;
use crate::procedure::shared::wait_for_long_transactions;
use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit};

impl Switch {
    /// Twice on the old one: the second has next to nothing left to write.
    pub(crate) async fn checkpoint(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        for (part, instance, times) in [(0, self.old, 2), (1, self.new, 1)] {
            let checkpoint = HostCommand::Checkpoint { instance, times };
            visit.command(self.host, part, checkpoint).await?;
        }
        Ok(Done::new())
    }

    pub(crate) async fn prepare_sessions(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let new = target(&visit.observe_patiently(self.host, self.new).await?)?;
        let prepared = visit
            .traffic()
            .prepare(&self.dbname, visit.fence(), &new)
            .await?;
        self.seen.target = Some(new);
        let detail = json!(prepared);
        self.seen.prepared = Some(prepared);
        Ok(Done::new().detail(detail))
    }

    pub(crate) async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        wait_for_long_transactions(visit, self.host, self.old, self.server_dbname()).await?;
        self.seen.fence = visit.observe_patiently(self.host, self.old).await?.fence;
        if self.seen.fence == FenceMeans::CleanStop {
            // Whatever is dirty is written while clients wait: let it be next to nothing.
            let checkpoint = HostCommand::Checkpoint {
                instance: self.old,
                times: 1,
            };
            visit.command(self.host, 0, checkpoint).await?;
        }
        Ok(Done::new().detail(json!({ "fence": self.seen.fence })))
    }
}
