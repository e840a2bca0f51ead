//! Maintenances that people require, as handlers need them.

use async_trait::async_trait;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::Requirement;
use upkeep_domain::refusal::Refusal;
use uuid::Uuid;

#[async_trait]
pub trait Requirements: Send + Sync {
    /// In place of what was required of it before. Refused on plans without a window. Asked again with the same id:
    /// the first answer.
    async fn require(
        &self,
        database: DatabaseId,
        because: &str,
        emergency: bool,
        by: &str,
        request_id: Uuid,
    ) -> Result<Requirement, Refusal>;
    /// What was required; refused if nothing was.
    async fn require_no_more(&self, database: DatabaseId) -> Result<Requirement, Refusal>;
}
