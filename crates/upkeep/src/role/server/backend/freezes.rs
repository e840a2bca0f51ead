//! Times in which nothing is maintained.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::maintenance::Freeze;
use upkeep_domain::refusal::Refusal;
use upkeep_engine::request::store_refusal;
use upkeep_server::backend::{FreezeView, Freezes};
use uuid::Uuid;

use super::EngineBackend;
use crate::role::server::views;

#[async_trait]
impl Freezes for EngineBackend {
    async fn freezes(&self) -> Result<Vec<FreezeView>, Refusal> {
        let kept = self.engine.freezes().await?;
        kept.into_iter().map(views::freeze).collect()
    }

    async fn add_freeze(
        &self,
        freeze: Freeze,
        by: &str,
        request_id: Uuid,
    ) -> Result<FreezeView, Refusal> {
        let request_id = request_id.to_string();
        let added = self.engine.add_freeze(&freeze, by, Some(&request_id));
        views::freeze(added.await?)
    }

    async fn add_freezes(
        &self,
        freezes: Vec<Freeze>,
        by: &str,
    ) -> Result<Vec<FreezeView>, Refusal> {
        let added = self.engine.add_freezes(&freezes, by).await?;
        added.into_iter().map(views::freeze).collect()
    }

    async fn now(&self) -> Result<Timestamp, Refusal> {
        let now = self.store.now().await;
        now.map_err(|error| store_refusal(&error))
    }

    async fn remove_freeze(&self, id: i64) -> Result<FreezeView, Refusal> {
        views::freeze(self.engine.remove_freeze(id).await?)
    }
}
