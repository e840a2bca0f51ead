//! The checks by their stable names: rows, requests and scripts carry them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The server runs, and is a primary.
    Primary,
    /// The target is at hand, of the same major, not older, and not withdrawn.
    Release,
    /// The server runs the binary that its release has on disk.
    Binary,
    /// There is room for a copy.
    Room,
    /// No transaction is open for so long that a hold would be given up.
    Transactions,
    PreparedTransactions,
    UnloggedTables,
    LogicalSlots,
    PhysicalSlots,
    SynchronousStandbyNames,
    SynchronizedStandbySlots,
    /// Sessions that do not come through the endpoint.
    BypassingSessions,
    Archiving,
    /// Settings that must not be lower on a standby than on its primary.
    Settings,
    /// Followers go on replaying what the next primary writes.
    Followers,
    Tablespaces,
    Extensions,
    /// Libraries in C that are loaded at the start or by functions.
    Libraries,
    Collations,
    /// Options of columns that an older minor does not know.
    ColumnOptions,
    /// Whether a server would start with the configuration that lies there.
    Configuration,
    /// Sessions that cannot be carried over.
    Sessions,
    BackgroundJobs,
    /// A promotion looks at every file.
    RelationFiles,
    /// What skipped minor releases demand.
    MinorReleases,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no check `{}`", text.escape_default())]
pub struct UnknownCheck {
    text: String,
}

impl Check {
    /// In the order in which people read them.
    pub const ALL: [Self; 25] = [
        Self::Primary,
        Self::Release,
        Self::Binary,
        Self::Room,
        Self::Transactions,
        Self::PreparedTransactions,
        Self::UnloggedTables,
        Self::LogicalSlots,
        Self::PhysicalSlots,
        Self::SynchronousStandbyNames,
        Self::SynchronizedStandbySlots,
        Self::BypassingSessions,
        Self::Archiving,
        Self::Settings,
        Self::Followers,
        Self::Tablespaces,
        Self::Extensions,
        Self::Libraries,
        Self::Collations,
        Self::ColumnOptions,
        Self::Configuration,
        Self::Sessions,
        Self::BackgroundJobs,
        Self::RelationFiles,
        Self::MinorReleases,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Release => "release",
            Self::Binary => "binary",
            Self::Room => "room",
            Self::Transactions => "transactions",
            Self::PreparedTransactions => "prepared_transactions",
            Self::UnloggedTables => "unlogged_tables",
            Self::LogicalSlots => "logical_slots",
            Self::PhysicalSlots => "physical_slots",
            Self::SynchronousStandbyNames => "synchronous_standby_names",
            Self::SynchronizedStandbySlots => "synchronized_standby_slots",
            Self::BypassingSessions => "bypassing_sessions",
            Self::Archiving => "archiving",
            Self::Settings => "settings",
            Self::Followers => "followers",
            Self::Tablespaces => "tablespaces",
            Self::Extensions => "extensions",
            Self::Libraries => "libraries",
            Self::Collations => "collations",
            Self::ColumnOptions => "column_options",
            Self::Configuration => "configuration",
            Self::Sessions => "sessions",
            Self::BackgroundJobs => "background_jobs",
            Self::RelationFiles => "relation_files",
            Self::MinorReleases => "minor_releases",
        }
    }

    /// Whether a person may decide that it does not matter: only where what is lost is his own
    /// contents. No waiver makes a release fit or a disk larger.
    pub fn waivable(self) -> bool {
        matches!(self, Self::UnloggedTables | Self::LogicalSlots)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Check {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        Self::ALL
            .into_iter()
            .find(|check| check.as_str() == text)
            .ok_or_else(|| UnknownCheck {
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_found_by_its_name_and_written_as_it() {
        for check in Check::ALL {
            assert_eq!(check.as_str().parse(), Ok(check));
            assert_eq!(
                serde_json::to_string(&check).unwrap(),
                format!("\"{check}\"")
            );
        }
        assert!("rooms".parse::<Check>().is_err());
    }

    #[test]
    fn only_losses_of_ones_own_contents_can_be_waived() {
        let waivable: Vec<&str> = Check::ALL
            .into_iter()
            .filter(|check| check.waivable())
            .map(Check::as_str)
            .collect();
        assert_eq!(waivable, ["unlogged_tables", "logical_slots"]);
    }
}
