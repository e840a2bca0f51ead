//! The switch: from a primary that serves clients to a standby that takes its place.
//!
//! `ready` is unfelt, `decide` holds clients and ends with the point of no return, `settle` is behind
//! it, `back` undoes. Who the standby is, and what becomes of the old primary, is the procedure's.

mod back;
mod decide;
mod ready;
mod settle;

use serde::{Deserialize, Serialize};
use upkeep_domain::hold::Prepared;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::route::Target;
use upkeep_store::Database;

use crate::procedure::server_dbname;
use crate::workflow::Failure;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Switch {
    pub(crate) host: HostId,
    /// What clients call the database.
    pub(crate) dbname: String,
    /// What it is called on its server, where that is another name.
    #[serde(default)]
    server_dbname: Option<String>,
    /// Serves clients before.
    pub(crate) old: InstanceId,
    /// Follows it, and serves clients afterwards.
    pub(crate) new: InstanceId,
    #[serde(default)]
    seen: Seen,
}

/// What the steps found out on their way.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    /// The new primary as the endpoint knows it.
    target: Option<Target>,
    /// How the sessions can be carried.
    prepared: Option<Prepared>,
    /// How the old primary is taken out.
    fence: FenceMeans,
    /// Everything acknowledged before it is in the WAL before it.
    marker: Option<Lsn>,
    timeline_before: Option<TimelineId>,
    timeline_after: Option<TimelineId>,
    /// Fences that found a commit behind the marker.
    fence_rounds: u32,
    /// The old primary, once it had to be started again: its sessions are no more.
    started_again: Option<Target>,
}

impl Switch {
    pub(crate) fn new(database: &Database, host: HostId, old: InstanceId, new: InstanceId) -> Self {
        Self {
            host,
            dbname: database.dbname.clone(),
            server_dbname: server_dbname(database),
            old,
            new,
            seen: Seen::default(),
        }
    }

    /// What the database is called on its server.
    pub(crate) fn server_dbname(&self) -> &str {
        self.server_dbname.as_deref().unwrap_or(&self.dbname)
    }

    pub(crate) fn prepared(&self) -> Option<&Prepared> {
        self.seen.prepared.as_ref()
    }

    /// The new primary as the endpoint knows it; `prepare_sessions` has put it down.
    fn target(&self) -> Result<Target, Failure> {
        self.seen
            .target
            .clone()
            .ok_or_else(|| Failure::Failed("the new primary was never prepared".to_owned()))
    }
}
