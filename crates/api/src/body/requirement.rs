//! A maintenance that a person requires. All of it is ours. Keys are in alphabetical order.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub because: String,
    pub by: String,
    /// Name of the database.
    pub database: String,
    /// It is done now, whatever windows and freezes say.
    pub emergency: bool,
    pub since: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Require {
    pub because: String,
    #[serde(default)]
    pub emergency: bool,
}
