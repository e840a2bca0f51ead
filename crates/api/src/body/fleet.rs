//! A database in the list of all of them. All of it is ours. Keys are in alphabetical order.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetEntry {
    pub app: String,
    /// Why, if there is more to say than the outlook does.
    pub because: Option<String>,
    pub database: String,
    pub method: Option<String>,
    /// `stuck`, `overdue`, `blocked`, `late`, `running`, `due`, `scheduled` or `up_to_date`.
    pub outlook: String,
    pub plan: String,
    pub reason: Option<String>,
    pub release: Option<String>,
    pub required_by: Option<String>,
    pub scheduled_for: Option<String>,
}
