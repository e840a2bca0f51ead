//! PostgreSQL releases that the server can run.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub added_at: String,
    pub bin_dir: String,
    pub extensions: Vec<String>,
    pub icu: bool,
    pub name: String,
    pub programs: Vec<String>,
    /// Where it came from, in words.
    pub source: String,
    pub tls: bool,
    pub version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddRelease {
    pub from: AddFrom,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Paths are the host's, not the caller's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AddFrom {
    System {
        dir: String,
    },
    Debian {
        version: String,
    },
    Archive {
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
    },
}
