//! Why a database has to be maintained: facts, each with the word that rows and Heroku's JSON carry, and
//! a sentence for people. What follows from several of them is in [`due`](super::due).

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::method::Cause;
use crate::release::Version;

/// The fact itself. Its moment, where it has one, is when it was first known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// A newer minor release that closes security holes is in the store.
    SecurityRelease { to: Version },
    /// A newer minor release is in the store.
    MinorRelease { to: Version },
    /// The release that it runs on is not to be used.
    WithdrawnRelease { version: Version, because: String },
    /// Its major gets no more fixes.
    EndOfLife { major: u16, from: Date },
    /// Settings, by name, that take effect at a restart only.
    WaitingSettings { names: Vec<String> },
    /// Its server certificate comes to its end.
    Certificate { ends_at: Timestamp },
    /// Its host has to be rebooted.
    HostReboot { because: String },
    /// Its host is to be emptied.
    HostDrain { because: String },
    /// It was not maintained for long.
    Routine { last_at: Timestamp },
    /// A person wants it.
    Requested { by: String, because: String },
    /// A person wants it now, whatever windows and freezes say.
    Emergency { by: String, because: String },
}

/// What the policy and the rows know a reason by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    SecurityRelease,
    MinorRelease,
    WithdrawnRelease,
    EndOfLife,
    WaitingSettings,
    Certificate,
    HostReboot,
    HostDrain,
    /// In Heroku's word.
    RoutineMaintenance,
    Requested,
    Emergency,
}

pub const KINDS: [Kind; 11] = [
    Kind::SecurityRelease,
    Kind::MinorRelease,
    Kind::WithdrawnRelease,
    Kind::EndOfLife,
    Kind::WaitingSettings,
    Kind::Certificate,
    Kind::HostReboot,
    Kind::HostDrain,
    Kind::RoutineMaintenance,
    Kind::Requested,
    Kind::Emergency,
];

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SecurityRelease => "security_release",
            Self::MinorRelease => "minor_release",
            Self::WithdrawnRelease => "withdrawn_release",
            Self::EndOfLife => "end_of_life",
            Self::WaitingSettings => "waiting_settings",
            Self::Certificate => "certificate",
            Self::HostReboot => "host_reboot",
            Self::HostDrain => "host_drain",
            Self::RoutineMaintenance => "routine_maintenance",
            Self::Requested => "requested",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Reason {
    pub fn kind(&self) -> Kind {
        match self {
            Self::SecurityRelease { .. } => Kind::SecurityRelease,
            Self::MinorRelease { .. } => Kind::MinorRelease,
            Self::WithdrawnRelease { .. } => Kind::WithdrawnRelease,
            Self::EndOfLife { .. } => Kind::EndOfLife,
            Self::WaitingSettings { .. } => Kind::WaitingSettings,
            Self::Certificate { .. } => Kind::Certificate,
            Self::HostReboot { .. } => Kind::HostReboot,
            Self::HostDrain { .. } => Kind::HostDrain,
            Self::Routine { .. } => Kind::RoutineMaintenance,
            Self::Requested { .. } => Kind::Requested,
            Self::Emergency { .. } => Kind::Emergency,
        }
    }

    /// What the method has to bring about for it.
    pub fn cause(&self) -> Cause {
        match self {
            Self::SecurityRelease { .. }
            | Self::MinorRelease { .. }
            | Self::WithdrawnRelease { .. }
            | Self::EndOfLife { .. } => Cause::NewRelease,
            Self::HostReboot { .. } | Self::HostDrain { .. } => Cause::LeavesHost,
            Self::WaitingSettings { names } => Cause::WaitingSettings(names.clone()),
            Self::Certificate { .. } => Cause::Certificate,
            Self::Routine { .. } | Self::Requested { .. } | Self::Emergency { .. } => {
                Cause::SameRelease
            }
        }
    }
}

/// Half a sentence, without a full stop.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: &Timestamp| at.strftime("%Y-%m-%d");
        match self {
            Self::SecurityRelease { to } => write!(f, "PostgreSQL {to} closes security holes"),
            Self::MinorRelease { to } => write!(f, "PostgreSQL {to} mends what was wrong before"),
            Self::WithdrawnRelease { version, because } => {
                write!(f, "PostgreSQL {version} is not to be used: {because}")
            }
            Self::EndOfLife { major, from } => {
                write!(
                    f,
                    "PostgreSQL {major} is not mended any more from {from} on"
                )
            }
            Self::WaitingSettings { names } => {
                let wait = if names.len() == 1 { "waits" } else { "wait" };
                write!(f, "{} {wait} for a restart", names.join(", "))
            }
            Self::Certificate { ends_at } => {
                write!(f, "its certificate ends on {}", day(ends_at))
            }
            Self::HostReboot { because } => {
                write!(f, "its host has to be rebooted: {because}")
            }
            Self::HostDrain { because } => write!(f, "its host is to be emptied: {because}"),
            Self::Routine { last_at } => {
                write!(f, "it has not been maintained since {}", day(last_at))
            }
            Self::Requested { by, because } => write!(f, "{by} wants it: {because}"),
            Self::Emergency { by, because } => write!(f, "{by} wants it at once: {because}"),
        }
    }
}
