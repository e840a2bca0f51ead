//! Calendars that others subscribe to, as handlers need them.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::id::AppId;
use upkeep_domain::name::AppName;
use upkeep_domain::refusal::Refusal;
use uuid::Uuid;

use super::{FreezeView, MaintenanceView};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCalendarView {
    pub id: i64,
    /// None if it is of the whole fleet.
    pub app: Option<AppName>,
    pub added_by: String,
    pub added_at: Timestamp,
}

/// What is in one.
#[derive(Clone, Debug, PartialEq)]
pub struct CalendarView {
    pub now: Timestamp,
    /// None if it is of the whole fleet.
    pub app: Option<AppName>,
    /// Planned, and done lately.
    pub maintenances: Vec<MaintenanceView>,
    /// Those that concern it.
    pub freezes: Vec<FreezeView>,
}

/// Tokens are known by their SHA-256 only.
#[async_trait]
pub trait Calendars: Send + Sync {
    /// In the order in which they were added.
    async fn calendars(&self) -> Result<Vec<KeptCalendarView>, Refusal>;
    /// Asked again with the same id: the first one, by its new token.
    async fn add_calendar(
        &self,
        app: Option<AppId>,
        token_sha256: [u8; 32],
        by: &str,
        request_id: Uuid,
    ) -> Result<KeptCalendarView, Refusal>;
    /// As it was. Nobody reads it any more.
    async fn remove_calendar(&self, id: i64) -> Result<KeptCalendarView, Refusal>;
    /// None: nobody has that token.
    async fn calendar(&self, token_sha256: [u8; 32]) -> Result<Option<CalendarView>, Refusal>;
}
