//! What is required, the last of each database.

use async_trait::async_trait;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::{Requirement, requirement};
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::Requirements;
use uuid::Uuid;

use super::{World, at};

#[async_trait]
impl Requirements for World {
    async fn require(
        &self,
        database: DatabaseId,
        because: &str,
        emergency: bool,
        by: &str,
        _request_id: Uuid,
    ) -> Result<Requirement, Refusal> {
        let required = Requirement {
            by: by.to_owned(),
            because: requirement::typed(because)?,
            emergency,
            since: at(1_700_000_000),
        };
        let required_of = &mut self.state().required;
        required_of.insert(database, required.clone());
        Ok(required)
    }

    async fn require_no_more(&self, database: DatabaseId) -> Result<Requirement, Refusal> {
        let required = self.state().required.remove(&database);
        required.ok_or_else(|| Refusal::conflict("nobody requires a maintenance"))
    }
}
