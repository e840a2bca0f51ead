//! Calendars that others subscribe to. All of it is ours. Keys are in alphabetical order.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    pub added_at: String,
    pub added_by: String,
    /// Name of the app; null if it is of the whole fleet.
    pub app: Option<String>,
    /// Where to subscribe: a path of the server. Only when it is added; nobody knows it afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed: Option<String>,
    pub id: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddCalendar {
    /// By name or id; of the whole fleet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
}
