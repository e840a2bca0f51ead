//! Holding clients at a transaction boundary, and what they felt of it.
//!
//! A hold is a lease: nobody renews it, and it ends by itself with everybody on the old primary.
//! Once *sealed* (the old primary is about to be fenced) silence keeps the clients waiting instead,
//! up to the hard limit, because releasing them onto a fenced server helps nobody.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::route::Target;

/// Limits of one hold, in milliseconds. Defaults are those of `docs/workflows.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldLimits {
    /// Longest wait for sessions that are in the middle of a transaction.
    pub drain_ms: u64,
    /// Silence of the holder after which an unsealed hold is released.
    pub lease_ms: u64,
    /// Longest hold once sealed; then clients are told to reconnect (57P01).
    pub hard_ms: u64,
}

impl Default for HoldLimits {
    fn default() -> Self {
        Self {
            drain_ms: 2_000,
            lease_ms: 3_000,
            hard_ms: 30_000,
        }
    }
}

/// A session that kept the hold from completing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    pub backend_pid: u32,
    pub role: String,
    pub application_name: String,
    /// `in a transaction`, `running a statement`, `copying`.
    pub state: String,
    pub busy_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum HoldReply {
    /// Every session waits at a boundary.
    Held { sessions: u32, drained_ms: f64 },
    /// The drain deadline passed; everybody goes on on the old primary.
    Blocked { blockers: Vec<Blocker> },
}

/// Who is let go, and onto what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "onto")]
pub enum ReleaseOnto {
    /// Back onto the instance they were on: the switch did not happen.
    Same,
    Replacement {
        target: Target,
    },
}

/// Where the gate of one database stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    Open,
    Holding,
    Held,
    Sealed,
    Moving,
}

/// Readiness of spare sessions on a replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    pub sessions: u32,
    pub spares: u32,
    /// Sessions that cannot be carried, by reason.
    pub unmovable: BTreeMap<String, u32>,
    /// Sessions that would be carried, but with state that could not be read, by reason.
    #[serde(default)]
    pub at_risk: BTreeMap<String, u32>,
}

/// What clients felt of one hold, measured at the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    /// Longest time between two acknowledged writes around the hold.
    pub longest_write_gap_ms: Option<f64>,
    /// From the moment the gate closed until it opened.
    pub held_ms: f64,
    pub sessions_held: u32,
    pub sessions_moved: u32,
    /// Sessions that could not be carried, by reason.
    pub sessions_closed: BTreeMap<String, u32>,
    /// Sessions that were carried, but with state that could not be read, by reason.
    #[serde(default)]
    pub sessions_at_risk: BTreeMap<String, u32>,
    /// Statements that failed because of the hold or the move.
    pub statements_failed: u32,
}
