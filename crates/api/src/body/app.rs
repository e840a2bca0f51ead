//! Apps, their config vars, and the releases of an app (not those of PostgreSQL).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub type ConfigVars = BTreeMap<String, String>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub acm: bool,
    pub archived_at: Option<String>,
    pub build_stack: Named,
    pub create_status: String,
    pub created_at: String,
    pub git_url: String,
    pub id: Uuid,
    pub locked: bool,
    pub maintenance: bool,
    pub name: String,
    pub owner: Email,
    pub region: Named,
    /// Nothing is stored of an app, but the client wants numbers.
    pub repo_size: u64,
    pub slug_size: u64,
    pub space: Option<String>,
    pub stack: Named,
    pub web_url: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRef {
    pub id: Uuid,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    pub email: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateApp {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppChange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<bool>,
}

/// A version of an app's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRelease {
    pub created_at: String,
    pub current: bool,
    pub description: String,
    pub id: Uuid,
    pub status: String,
    pub user: Email,
    pub version: u64,
}
