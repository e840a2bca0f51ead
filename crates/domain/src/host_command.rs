//! What an agent can be told and asked.
//!
//! A *command* changes something: it carries an id, so that a repeated one is answered with the
//! recorded outcome, and a fence, so that one from a controller that lost its claim is refused.
//! A *query* only looks (or writes a marker) and is answered afresh each time.
//! A time-out of either means *unknown*: look again, never assume.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::dry_start::DryStart;
use crate::id::{InstanceId, WorkflowId};
use crate::instance::{Address, InstanceSettings, Observation};
use crate::lsn::{Lsn, TimelineId};
use crate::millis::Millis;
use crate::preflight::Facts;
use crate::refusal::Refusal;
use crate::release::knowledge::Detector;
use crate::release::{AddRelease, Release, ReleaseName};

/// Grows with every claim of a workflow. Receivers refuse a lower one than they have seen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Fence(pub u64);

/// Names one visit of one step: the same id is the same command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CommandId {
    pub workflow: WorkflowId,
    pub step: String,
    pub visit: u32,
    /// Distinguishes the commands of one step.
    pub part: u8,
}

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.workflow, self.step, self.visit, self.part
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub id: CommandId,
    pub fence: Fence,
    pub command: HostCommand,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum HostCommand {
    /// initdb and Upkeep's own configuration; not started.
    CreateInstance {
        instance: InstanceId,
        release: ReleaseName,
        settings: InstanceSettings,
    },
    /// Starts it as what its data directory says it is, and waits until it accepts connections.
    StartInstance {
        instance: InstanceId,
    },
    /// Fast stop; done when `pg_control` says so and no process is left.
    StopInstance {
        instance: InstanceId,
    },
    ReloadInstance {
        instance: InstanceId,
    },
    /// A role that may log in, and a database it owns. The verifier is SCRAM-SHA-256, never a password.
    CreateDatabase {
        instance: InstanceId,
        dbname: String,
        role: String,
        verifier: String,
    },
    /// Begins a copy of `source` that streams from it afterwards. Answers at once; observe it.
    BaseBackup {
        instance: InstanceId,
        release: ReleaseName,
        settings: InstanceSettings,
        source: InstanceId,
        source_address: Address,
        /// Physical slot on the source that keeps its WAL; made if missing.
        slot: String,
        /// It may be promoted in the source's place: logical slots that are marked for failover are
        /// synchronised to it, where PostgreSQL can (17 and later).
        #[serde(default)]
        takes_over: bool,
        /// It starts with what people have set on this instance of the host, if that is there, and not with what
        /// they have set on its source.
        #[serde(default)]
        set_like: Option<InstanceId>,
    },
    /// Stops a standby and starts it on another release of its major version, as the standby it is, with
    /// what people have set on its upstream since it was copied. Left alone where neither is another.
    PatchStandby {
        instance: InstanceId,
        release: ReleaseName,
    },
    /// A primary that was taken out comes back as the standby of the one that took over. As it is,
    /// if it wrote nothing behind the place where the other's history begins; otherwise rewound. A
    /// refusal says why it cannot: then it is of no more use.
    Rejoin {
        instance: InstanceId,
        release: ReleaseName,
        settings: InstanceSettings,
        upstream: InstanceId,
        upstream_address: Address,
        /// Physical slot on the upstream that keeps its WAL; made if missing.
        slot: String,
    },
    /// A standby streams from another upstream of the same history from now on, without a restart:
    /// its sessions do not notice.
    Follow {
        instance: InstanceId,
        upstream: InstanceId,
        upstream_address: Address,
        /// Physical slot on the upstream that keeps its WAL; made if missing.
        slot: String,
    },
    DropSlot {
        instance: InstanceId,
        slot: String,
    },
    /// CHECKPOINT, `times` times.
    Checkpoint {
        instance: InstanceId,
        times: u8,
    },
    /// SIGSTOP to all its processes, then looks at the WAL behind the marker.
    Freeze {
        instance: InstanceId,
        marker: Lsn,
        silence_ms: u64,
    },
    /// Fast stop as a fence: done when `pg_control` says so and nothing is left that could write.
    StopPrimary {
        instance: InstanceId,
        within_ms: u64,
    },
    /// SIGCONT; if it was killed or stopped meanwhile, starts it again as the primary it was, and
    /// says so: whoever was connected to it is not any more.
    Thaw {
        instance: InstanceId,
    },
    /// It can only ever start as a standby from here.
    Disarm {
        instance: InstanceId,
    },
    Rearm {
        instance: InstanceId,
    },
    /// Asks for promotion and waits until a write is accepted.
    Promote {
        instance: InstanceId,
    },
    /// SIGKILL to a frozen instance, and reaps it.
    KillInstance {
        instance: InstanceId,
    },
    /// What `instance` had not archived when it was ended is archived by `to`, which has taken over.
    HandOverArchive {
        instance: InstanceId,
        to: InstanceId,
    },
    /// Fast stop of a server that is to be started again at once: once it has said that it is shut
    /// down, nobody waits for its archiver, nor for standbys that do not listen. A refusal proves
    /// that it was not asked to stop.
    StopBriefly {
        instance: InstanceId,
    },
    /// Starts it again, on this release. If it does not come up, the configuration and the release
    /// of its last good start are tried, once.
    StartAgain {
        instance: InstanceId,
        release: ReleaseName,
    },
    /// Stops whatever runs on it and removes its files.
    RemoveInstance {
        instance: InstanceId,
    },
    AddRelease {
        source: AddRelease,
    },
    RemoveRelease {
        name: ReleaseName,
        in_use: Vec<ReleaseName>,
    },
}

impl HostCommand {
    /// What the fence protects: commands on one instance are ordered among themselves.
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::CreateInstance { instance, .. }
            | Self::StartInstance { instance }
            | Self::StopInstance { instance }
            | Self::ReloadInstance { instance }
            | Self::CreateDatabase { instance, .. }
            | Self::BaseBackup { instance, .. }
            | Self::PatchStandby { instance, .. }
            | Self::Rejoin { instance, .. }
            | Self::Follow { instance, .. }
            | Self::DropSlot { instance, .. }
            | Self::Checkpoint { instance, .. }
            | Self::Freeze { instance, .. }
            | Self::StopPrimary { instance, .. }
            | Self::Thaw { instance }
            | Self::Disarm { instance }
            | Self::Rearm { instance }
            | Self::Promote { instance }
            | Self::KillInstance { instance }
            | Self::HandOverArchive { instance, .. }
            | Self::StopBriefly { instance }
            | Self::StartAgain { instance, .. }
            | Self::RemoveInstance { instance } => Some(*instance),
            Self::AddRelease { .. } | Self::RemoveRelease { .. } => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    Done,
    Started {
        observation: Box<Observation>,
    },
    /// Nothing that was acknowledged stands behind the marker: the old primary has no secret.
    Fenced {
        processes: u32,
        killed: bool,
    },
    /// A transaction ended behind the marker; the instance stays frozen until it is thawed.
    Behind {
        transactions: u32,
        end: Lsn,
    },
    /// It runs on: its host cannot make it stand still, and why.
    NotFrozen {
        sentence: String,
    },
    /// It has shut down: this is where its last record begins.
    ShutDown {
        checkpoint: Lsn,
    },
    /// It is told whom to follow, also for its next start.
    Follows {
        /// Why it has not been seen to stream from there.
        not_yet: Option<String>,
    },
    /// It follows its successor.
    Rejoined {
        /// What it had written behind the fork was taken back.
        rewound: bool,
    },
    HandedOver {
        files: u32,
    },
    Promoted {
        timeline: TimelineId,
        promote_to_write_ms: Millis,
    },
    Stopped {
        stop_ms: Millis,
        /// Processes that were not waited for, by what they were.
        not_waited_for: Vec<String>,
    },
    /// It runs again, and a primary has accepted a write.
    StartedAgain {
        observation: Box<Observation>,
        /// Why it did not start as it was to, if it runs as it did before.
        fell_back: Option<String>,
        start_to_write_ms: Millis,
    },
    /// It does not start, neither as it was to nor as it did before. It is known not to run.
    NotStarted {
        sentence: String,
    },
    ReleaseAdded {
        release: Box<Release>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "query")]
pub enum HostQuery {
    Observe {
        instance: InstanceId,
    },
    /// A synchronous commit of our own: everything acknowledged before it is flushed with it.
    Mark {
        instance: InstanceId,
    },
    /// Waits at most `wait_ms` until the standby has received `lsn`.
    Received {
        instance: InstanceId,
        lsn: Lsn,
        wait_ms: u64,
    },
    /// The oldest transaction, and sessions that bypass the endpoint.
    Activity {
        instance: InstanceId,
        dbname: String,
    },
    /// What a maintenance has to know before it begins, seen from inside the database.
    Facts {
        instance: InstanceId,
        dbname: String,
        /// The release that it is to run on.
        target: Option<ReleaseName>,
        detectors: Vec<Detector>,
    },
    /// Logical slots that are marked for failover: those there are on a primary, those that could be
    /// gone on with on a standby.
    FailoverSlots {
        instance: InstanceId,
    },
    /// What a database takes up, for people.
    Usage {
        instance: InstanceId,
        dbname: String,
    },
    /// Whether it would start on this release with the configuration that it has now, and what that
    /// would change. Of a server that runs.
    DryStart {
        instance: InstanceId,
        release: ReleaseName,
    },
    /// The values with which a running server runs, by name. Names that it does not know are left out.
    Settings {
        instance: InstanceId,
        names: Vec<String>,
    },
    /// Room on the host's file system, and how much a copy of the instance needs.
    Room {
        instance: InstanceId,
    },
    Releases,
    /// Every instance this host has.
    Instances,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    Observed {
        observation: Box<Observation>,
    },
    Marked {
        lsn: Lsn,
        timeline: TimelineId,
        system_identifier: u64,
    },
    Received {
        received: bool,
        lsn: Option<Lsn>,
        timeline: Option<TimelineId>,
        system_identifier: u64,
    },
    Activity {
        activity: Activity,
    },
    DryStart {
        dry_start: DryStart,
    },
    Settings {
        values: BTreeMap<String, String>,
    },
    Facts {
        facts: Box<Facts>,
    },
    Room {
        available_bytes: u64,
        instance_bytes: u64,
    },
    Releases {
        releases: Vec<Release>,
    },
    FailoverSlots {
        names: BTreeSet<String>,
    },
    Usage {
        usage: Usage,
    },
    Instances {
        instances: Vec<InstanceId>,
    },
}

/// What goes on inside an instance that could delay a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Age of the oldest open transaction of a client, in milliseconds, and who has it.
    pub oldest_transaction_ms: Option<u64>,
    pub oldest_transaction: Option<String>,
    /// Client sessions that do not come through the endpoint.
    pub bypassing_sessions: u32,
}

/// What a database takes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub size_bytes: u64,
    /// Sessions of clients.
    pub connections: u32,
    pub tables: u32,
    /// The number of the next transaction: what a follower is behind by is counted with it.
    #[serde(default)]
    pub next_transaction: u64,
}

/// Why a command or query has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum HostError {
    /// A higher fence has been seen: whoever sent this has lost its claim.
    #[error("a newer controller has taken over (fence {seen:?} is above {sent:?})")]
    Stale { sent: Fence, seen: Fence },
    /// Nothing was changed, and why.
    #[error("{refusal}")]
    Refused { refusal: Refusal },
    /// It was tried and failed; what is true now must be observed.
    #[error("{sentence}")]
    Failed { sentence: String },
    /// No answer: it may have happened or not.
    #[error("no answer from the agent: {sentence}")]
    Unknown { sentence: String },
}
