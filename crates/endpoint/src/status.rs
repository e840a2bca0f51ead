//! What the endpoint shows of itself for a live view. Counts only: no SQL, no secrets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use upkeep_domain::hold::GateState;
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::InstanceId;

/// One database as the endpoint sees it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseStatus {
    pub dbname: String,
    /// Where new sessions go.
    pub instance: InstanceId,
    pub fence: Fence,
    pub gate: GateState,
    /// Clients with a session.
    pub sessions: u32,
    /// Sessions that wait at a boundary.
    pub held: u32,
    /// New clients, authenticated, that wait for the gate to open.
    pub waiting: u32,
    /// Sessions that have a spare on the replacement.
    pub spares: u32,
    /// Sessions that set custom settings by names which cannot be known: carried, perhaps without.
    pub opaque: u32,
    /// Sessions that cannot be carried, by reason, as last looked at.
    pub unmovable: BTreeMap<String, u32>,
    /// How long the gate has been closed.
    pub held_ms: Option<u64>,
    /// Acknowledged writes seen since the endpoint started.
    pub writes: u64,
}
