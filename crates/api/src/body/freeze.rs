//! Times in which nothing is maintained. All of it is ours. Keys are in alphabetical order.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub added_at: String,
    pub added_by: String,
    /// Name of the app; null if it is of the whole fleet.
    pub app: Option<String>,
    pub because: String,
    pub from: String,
    pub id: i64,
    /// For people: `every year from 12-20 to 01-03`.
    pub period: String,
    pub time_zone: String,
    pub to: String,
}

/// Every event of a calendar is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFreezes {
    /// By name or id; of the whole fleet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The text of an iCalendar file, up to 1 MiB.
    pub calendar: String,
    /// Of events that name none. UTC when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedFreezes {
    pub added: Vec<Freeze>,
    /// So many were there already, word for word.
    pub kept: usize,
    pub left_out: Vec<LeftOutEvent>,
}

/// An event that need not be a freeze.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutEvent {
    pub because: String,
    pub summary: String,
}

/// As typed: the server understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddFreeze {
    /// By name or id; of the whole fleet when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    pub because: String,
    pub from: String,
    /// UTC when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    pub to: String,
}
