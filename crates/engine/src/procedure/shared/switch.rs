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

use crate::workflow::Failure;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Switch {
    pub(crate) host: HostId,
    pub(crate) dbname: String,
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
    pub(crate) fn new(host: HostId, dbname: String, old: InstanceId, new: InstanceId) -> Self {
        Self {
            host,
            dbname,
            old,
            new,
            seen: Seen::default(),
        }
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
