//! What people are told, and who is told, as handlers need it.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::id::AppId;
use upkeep_domain::name::AppName;
use upkeep_domain::notice::delivery::State;
use upkeep_domain::notice::{Address, Letter};
use upkeep_domain::refusal::Refusal;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView {
    pub id: i64,
    pub created_at: Timestamp,
    pub kind: String,
    pub database: Option<String>,
    pub letter: Option<Letter>,
    pub deliveries: Vec<DeliveryView>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    pub address: String,
    pub state: State,
    pub tries: u32,
    pub next_try_at: Option<Timestamp>,
    pub sent_at: Option<Timestamp>,
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientView {
    pub id: i64,
    pub address: Address,
    /// None if it is told of the whole fleet.
    pub app: Option<AppName>,
    pub added_by: String,
    pub added_at: Timestamp,
    /// When it is added, and never again.
    pub secret: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticesWanted {
    pub app: Option<AppName>,
    pub state: Option<State>,
    pub at_most: u32,
}

#[async_trait]
pub trait Notices: Send + Sync {
    /// The newest first.
    async fn notices(&self, wanted: NoticesWanted) -> Result<Vec<NoticeView>, Refusal>;
    async fn notice(&self, id: i64) -> Result<NoticeView, Refusal>;
    /// What has not been sent is tried now.
    async fn retry_notice(&self, id: i64) -> Result<NoticeView, Refusal>;

    async fn recipients(&self) -> Result<Vec<RecipientView>, Refusal>;
    /// Asked again with the same id: the first answer.
    async fn add_recipient(
        &self,
        address: Address,
        app: Option<AppId>,
        by: &str,
        request_id: Uuid,
    ) -> Result<RecipientView, Refusal>;
    /// As it was.
    async fn remove_recipient(&self, id: i64) -> Result<RecipientView, Refusal>;
    /// Waits until something has reached it, or has not.
    async fn try_recipient(&self, id: i64, by: &str) -> Result<RecipientView, Refusal>;
}
