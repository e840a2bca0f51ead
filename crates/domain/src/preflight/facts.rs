//! What an agent can see of a server before a maintenance. Names are quoted as SQL wants them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::release::Version;
use crate::release::knowledge::Detector;

/// Names, the first ones and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    pub total: u64,
    pub first: Vec<String>,
}

impl List {
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join(", "))?;
        match self.total.saturating_sub(self.first.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl<T: Into<String>> FromIterator<T> for List {
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let first: Vec<String> = names.into_iter().map(Into::into).collect();
        Self {
            total: first.len() as u64,
            first,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Of the server as it runs, which may not be that of its files on disk any more.
    pub running: Option<Version>,
    /// The oldest one of a client in the database.
    pub oldest_transaction: Option<OpenTransaction>,
    pub prepared_transactions: Vec<PreparedTransaction>,
    /// Unlogged tables that hold something.
    pub unlogged_tables: List,
    pub slots: Vec<Slot>,
    pub synchronous_standby_names: String,
    /// Slots that logical replication waits for (17 and later).
    pub synchronized_standby_slots: Vec<String>,
    /// Client sessions that do not come through the endpoint, described.
    pub bypassing_sessions: List,
    pub archiving: Archiving,
    pub floors: Vec<Floor>,
    pub tablespaces: List,
    pub extensions: Vec<String>,
    /// Libraries that the server or functions of the database load and the target does not have;
    /// `None` when it is not known where the target keeps its own.
    pub missing_libraries: Option<List>,
    /// Collations in use whose recorded version is not the one that the library has now.
    pub outdated_collations: Vec<Collation>,
    /// Indexes that are ordered by ICU.
    pub icu_indexes: List,
    pub icu: Icu,
    /// Options of columns that are not among those that every minor knows.
    pub column_options: Vec<ColumnOption>,
    pub background_jobs: List,
    pub relation_files: u64,
    pub findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTransaction {
    pub age_ms: u64,
    pub who: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedTransaction {
    pub gid: String,
    pub age_s: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    pub name: String,
    /// Of a logical one.
    pub plugin: Option<String>,
    pub active: bool,
    /// Marked to be synchronised to standbys (17 and later).
    pub failover: bool,
    /// WAL that is kept for it.
    pub retained_bytes: Option<u64>,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archiving {
    pub on: bool,
    /// A command or a library says how.
    pub configured: bool,
    pub failed_count: u64,
    /// The last try failed: the segment.
    pub failing: Option<String>,
}

/// A setting that must not be lower on a standby than on its primary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    pub name: String,
    pub running: i64,
    /// What the files say, and so what a copy starts with.
    pub on_file: Option<i64>,
    /// The files' last word is `ALTER SYSTEM`, which travels with a copy and overrules Upkeep's own.
    pub by_system: bool,
}

/// A follower of the database that is looked at, by the name that people know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerFacts {
    pub name: String,
    pub running: Option<Version>,
    /// What it runs with of the settings that must not be lower than on its leader.
    pub floors: BTreeMap<String, i64>,
    /// `recovery_min_apply_delay`: it replays late because somebody wants it so.
    pub delay_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collation {
    pub name: String,
    pub recorded: String,
    pub actual: String,
}

/// Major versions of the ICU that two releases are linked with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Icu {
    pub present: Option<u32>,
    pub target: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnOption {
    pub name: String,
    pub columns: u64,
}

/// What one detector found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub detector: Detector,
    pub total: u64,
    /// The first ones.
    pub found: Vec<Found>,
    /// Why it could not look.
    pub failed: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub object: String,
    /// The exact command that puts it right.
    pub command: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_tells_the_first_ones_and_how_many_more_there_are() {
        let mut list = List::from_iter(["a", "b"]);
        assert_eq!(list.to_string(), "a, b");
        list.total = 5;
        assert_eq!(list.to_string(), "a, b and 3 more");
        assert!(List::default().is_empty());
    }
}
