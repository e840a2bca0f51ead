//! What happened to a database, in order: the one source of every live view.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Events {
    pub events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
    pub id: i64,
    pub kind: EventKind,
    /// Since its step began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ms: Option<f64>,
    pub procedure: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    pub sentence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    pub workflow: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A step was begun; the sentence is the step's.
    Began,
    /// The step waits; the sentence says for what.
    Waiting,
    /// The step got on.
    Progress,
    /// The step is done.
    Done,
    /// The step is tried again; the sentence says why.
    Again,
    /// The step cannot be done; the sentence says why.
    Failed,
    /// The workflow ended; the sentence says how.
    Ended,
    /// Worth saying, nothing more.
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub done_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_bytes: Option<u64>,
}
