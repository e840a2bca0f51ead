//! A database as `pg:info` shows it, and whether one has to wait for it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    pub addon_id: Uuid,
    pub created_at: String,
    /// URL of the leader, for followers.
    pub following: Option<String>,
    pub forked_from: Option<String>,
    pub info: Vec<InfoEntry>,
    /// Name of the leader, for followers.
    pub leader: Option<String>,
    pub name: String,
    pub num_bytes: Option<u64>,
    pub num_connections: Option<u32>,
    pub num_tables: Option<u32>,
    pub plan: DatabasePlan,
    pub postgres_version: Option<String>,
    pub resource_url: String,
    #[serde(rename = "waiting?")]
    pub waiting: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePlan {
    pub id: u32,
    pub name: String,
}

/// One line of the listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoEntry {
    pub name: String,
    /// The values are URLs of databases; the client prints their names instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolve_db_name: bool,
    pub values: Vec<String>,
}

/// The keys really end in a question mark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitStatus {
    #[serde(rename = "error?")]
    pub error: bool,
    pub message: String,
    #[serde(default)]
    pub step: Option<String>,
    #[serde(rename = "waiting?")]
    pub waiting: bool,
}
