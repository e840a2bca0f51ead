//! What `pg:info` shows of followers and their leader.

use upkeep_domain::host_command::Usage;
use upkeep_domain::refusal::Refusal;
use upkeep_engine::request::store_refusal;
use upkeep_server::backend::Following;
use upkeep_store::Database;

use super::EngineBackend;
use crate::role::server::views;

impl EngineBackend {
    /// Whom it follows, and by how much it is behind.
    pub(super) async fn following(
        &self,
        row: &Database,
        usage: Option<&Usage>,
    ) -> Result<Option<Following>, Refusal> {
        if row.follows.is_none() {
            return Ok(None);
        }
        let leader = self.engine.leader(row).await?;
        let primary = match leader.primary_instance {
            Some(primary) => self.store.instance(primary).await,
            None => Ok(None),
        };
        let ahead = match primary.map_err(|error| store_refusal(&error))? {
            Some(primary) => self.engine.usage(&leader, &primary).await,
            None => None,
        };
        let both = usage.zip(ahead);
        Ok(Some(Following {
            name: views::database_name(&leader.name)?,
            url: self.url(&leader),
            behind_by: both
                .map(|(own, ahead)| ahead.next_transaction.saturating_sub(own.next_transaction)),
        }))
    }

    pub(super) async fn followers_of(&self, row: &Database) -> Result<Vec<String>, Refusal> {
        let followers = self.store.followers(row.id).await;
        let followers = followers.map_err(|error| store_refusal(&error))?;
        Ok(followers
            .iter()
            .map(|follower| self.url(follower))
            .collect())
    }
}
