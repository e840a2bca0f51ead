//! Instances: one PostgreSQL data directory each, and what can be seen of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::InstanceId;
use crate::lsn::{Lsn, TimelineId};
use crate::release::{ReleaseName, Version};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// `<directory>/.s.PGSQL.<port>`
    Unix {
        directory: String,
        port: u16,
    },
    Tcp {
        host: String,
        port: u16,
    },
}

impl Address {
    pub fn port(&self) -> u16 {
        match self {
            Self::Unix { port, .. } | Self::Tcp { port, .. } => *port,
        }
    }

    /// Value of libpq's `host` parameter.
    pub fn host(&self) -> &str {
        match self {
            Self::Unix { directory, .. } => directory,
            Self::Tcp { host, .. } => host,
        }
    }
}

/// Which server answers: checked at every connection, because a port or a path can be taken over.
///
/// The system identifier names the cluster (primary and standbys share it); the token is a file in
/// the data directory that Upkeep made and names this one copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub system_identifier: u64,
    pub token: String,
}

/// The setting in which a server says its token to those who may not read files there. No secret.
pub const TOKEN_SETTING: &str = "upkeep.data_directory";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// No data directory.
    Absent,
    /// A data directory, and no process on it.
    Stopped,
    Running,
    /// Its processes are stopped by SIGSTOP: alive, and unable to commit.
    Frozen,
}

/// How a primary is taken out, so that nobody can commit there any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceMeans {
    /// Its processes stand still and can go on at once.
    #[default]
    Freeze,
    /// It shuts down, which takes longer and must be started again on the way back: for hosts where
    /// processes may not, or cannot, be stopped where they stand.
    CleanStop,
}

/// How a copy of a data directory is going.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum BackupProgress {
    Running {
        bytes_done: u64,
        bytes_total: Option<u64>,
    },
    Done {
        bytes: u64,
    },
    Failed {
        sentence: String,
    },
}

/// Why a standby does not replay what it has received: somebody wants it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayHeldBack {
    /// `pg_wal_replay_pause()`, or a standby with less than its primary
    /// (<https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL>).
    Paused,
    /// `recovery_min_apply_delay`
    /// (<https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-RECOVERY-MIN-APPLY-DELAY>).
    Delayed,
}

impl fmt::Display for ReplayHeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => {
                "its replay is paused (its log says why; `pg_wal_replay_resume()` ends it)"
            }
            Self::Delayed => "its replay is delayed by recovery_min_apply_delay",
        })
    }
}

/// What an agent sees of one instance. `None` means *not known*, never *no*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub instance: InstanceId,
    pub process: ProcessState,
    pub release: Option<ReleaseName>,
    pub version: Option<Version>,
    pub address: Option<Address>,
    pub identity: Option<Identity>,
    pub accepts_connections: bool,
    pub in_recovery: Option<bool>,
    pub timeline: Option<TimelineId>,
    /// Primary: flushed. Standby: received from its upstream.
    pub flushed_lsn: Option<Lsn>,
    pub replayed_lsn: Option<Lsn>,
    /// Names one run of its processes: it is another one after any restart, also of itself.
    #[serde(default)]
    pub run: Option<String>,
    /// Standby: its WAL receiver is streaming.
    pub streaming: Option<bool>,
    /// Standby: `None` also when it replays as it receives.
    #[serde(default)]
    pub replay_held_back: Option<ReplayHeldBack>,
    pub backup: Option<BackupProgress>,
    /// It can only start as a standby: it has been taken out as a primary.
    pub disarmed: bool,
    /// Somebody asked it to be promoted, whatever came of that.
    pub promotion_requested: bool,
    /// How its host would fence it.
    pub fence: FenceMeans,
    /// What may still be written on its host's file system.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Settings that are changed in its files and count from its next start on (`pending_restart` of
    /// <https://www.postgresql.org/docs/current/view-pg-settings.html>).
    #[serde(default)]
    pub waiting_settings: Option<Vec<String>>,
}

/// Settings of an instance that its owner's plan decides. Memory in megabytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSettings {
    pub max_connections: u32,
    pub shared_buffers_mb: u32,
    /// WAL kept for a standby that falls behind or an old primary that rejoins.
    pub wal_keep_size_mb: u32,
    /// PostgreSQL's own defaults when not said.
    #[serde(default)]
    pub effective_cache_size_mb: Option<u32>,
    #[serde(default)]
    pub work_mem_mb: Option<u32>,
}
