//! Before the hold: the last things that clients do not feel.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::FenceMeans;

use super::Switch;
use crate::procedure::shared::{activity, refuse_losses};
use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A hold is not begun while a client's transaction is older.
const TRANSACTION_AGE_MAX: Duration = Duration::from_secs(1);
/// What a step needs to end before its deadline, so that the reason is told and not just the time.
const IN_TIME: Duration = Duration::from_secs(2);

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
        Ok(Done::new().detail(json!(prepared)))
    }

    pub(crate) async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.wait_for_long_transactions(visit).await?;
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

    async fn wait_for_long_transactions(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        loop {
            let activity = activity(visit, self.host, self.old, &self.dbname).await?;
            // The copy may have taken hours: what was checked before it is checked again.
            refuse_losses(&activity)?;
            let age = Duration::from_millis(activity.oldest_transaction_ms.unwrap_or(0));
            if age <= TRANSACTION_AGE_MAX {
                return Ok(());
            }
            let who = activity.oldest_transaction.as_deref().unwrap_or("a client");
            if visit.time_left() <= IN_TIME {
                return Err(Failure::Final(format!(
                    "a transaction of {who} has been open for {} s",
                    age.as_secs()
                )));
            }
            let detail = json!({ "transaction_ms": age.as_millis() as u64, "who": who });
            visit
                .waiting(
                    format!("for a transaction of {who}, open for {} s", age.as_secs()),
                    detail,
                )
                .await;
            sleep(LOOK_EVERY).await;
        }
    }
}
