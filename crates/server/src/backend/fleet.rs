//! Every database in a line, as handlers need it.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::maintenance::Outlook;
use upkeep_domain::refusal::Refusal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetView {
    pub database: String,
    pub app: String,
    pub plan: String,
    pub release: Option<String>,
    pub outlook: Outlook,
    /// Why, if there is more to say.
    pub because: Option<String>,
    /// Of what is planned or goes on.
    pub reason: Option<String>,
    pub method: Option<String>,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
}

#[async_trait]
pub trait Fleet: Send + Sync {
    /// What needs a person first comes first; then by app and name.
    async fn fleet(&self) -> Result<Vec<FleetView>, Refusal>;
}
