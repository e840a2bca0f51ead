//! Times in which nothing is maintained, as handlers need them.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::maintenance::Freeze;
use upkeep_domain::name::AppName;
use upkeep_domain::refusal::Refusal;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreezeView {
    pub id: i64,
    pub freeze: Freeze,
    /// None if it is of the whole fleet.
    pub app: Option<AppName>,
    pub added_by: String,
    pub added_at: Timestamp,
}

#[async_trait]
pub trait Freezes: Send + Sync {
    /// In the order in which they were added.
    async fn freezes(&self) -> Result<Vec<FreezeView>, Refusal>;
    /// What is planned within it is moved soon.
    /// Asked again with the same id: the first answer.
    async fn add_freeze(
        &self,
        freeze: Freeze,
        by: &str,
        request_id: Uuid,
    ) -> Result<FreezeView, Refusal>;
    /// All of them or none; tells those that are new.
    async fn add_freezes(&self, freezes: Vec<Freeze>, by: &str)
    -> Result<Vec<FreezeView>, Refusal>;
    /// By the clock that tells what is over.
    async fn now(&self) -> Result<Timestamp, Refusal>;
    /// As it was.
    async fn remove_freeze(&self, id: i64) -> Result<FreezeView, Refusal>;
}
