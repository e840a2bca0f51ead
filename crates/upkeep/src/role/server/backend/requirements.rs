//! Maintenances that people require.

use async_trait::async_trait;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::Requirement;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::Requirements;
use uuid::Uuid;

use super::EngineBackend;

#[async_trait]
impl Requirements for EngineBackend {
    async fn require(
        &self,
        database: DatabaseId,
        because: &str,
        emergency: bool,
        by: &str,
        request_id: Uuid,
    ) -> Result<Requirement, Refusal> {
        let database = self.database_row(database).await?;
        let request_id = request_id.to_string();
        let asked = Some(request_id.as_str());
        let required = self
            .engine
            .require_maintenance(&database, because, emergency, by, asked);
        required.await
    }

    async fn require_no_more(&self, database: DatabaseId) -> Result<Requirement, Refusal> {
        let database = self.database_row(database).await?;
        self.engine.require_no_more(&database).await
    }
}
