//! How commands are sent and what comes of them is judged.

use std::time::Duration;

use upkeep_domain::host_command::{
    Answer, CommandId, Envelope, Fence, HostCommand, HostError, HostQuery, Outcome,
};
use upkeep_domain::id::{InstanceId, WorkflowId};
use upkeep_domain::instance::{
    Address, BackupProgress, InstanceSettings, Observation, ProcessState,
};
use upkeep_domain::lsn::Lsn;
use uuid::Uuid;

use super::Bench;
use crate::wait::{wait_to_see, wait_until};

pub(super) const SETTINGS: InstanceSettings = InstanceSettings {
    max_connections: 20,
    shared_buffers_mb: 16,
    wal_keep_size_mb: 64,
    effective_cache_size_mb: None,
    work_mem_mb: None,
};
const FENCE: Fence = Fence(7);
const SOON: Duration = Duration::from_secs(60);
/// Longer than any script is silent.
pub(super) const SILENCE_MS: u64 = 60_000;

/// What came of a command, without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Done,
    Started,
    Fenced,
    Behind,
    NotFrozen,
    ShutDown,
    Follows,
    Promoted,
    /// Of those that no script asks for.
    Other,
    Refused,
    Failed,
    Stale,
    Unknown,
}

impl Kind {
    fn of(result: &Result<Outcome, HostError>) -> Self {
        match result {
            Ok(Outcome::Done) => Self::Done,
            Ok(Outcome::Started { .. }) => Self::Started,
            Ok(Outcome::Fenced { .. }) => Self::Fenced,
            Ok(Outcome::Behind { .. }) => Self::Behind,
            Ok(Outcome::NotFrozen { .. }) => Self::NotFrozen,
            Ok(Outcome::ShutDown { .. }) => Self::ShutDown,
            Ok(Outcome::Follows { .. }) => Self::Follows,
            Ok(Outcome::Promoted { .. }) => Self::Promoted,
            Ok(_) => Self::Other,
            Err(HostError::Refused { .. }) => Self::Refused,
            Err(HostError::Failed { .. }) => Self::Failed,
            Err(HostError::Stale { .. }) => Self::Stale,
            Err(HostError::Unknown { .. }) => Self::Unknown,
        }
    }
}

/// How an instance is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Looks {
    pub(super) process: ProcessState,
    /// Of one that answers.
    pub(super) in_recovery: Option<bool>,
    pub(super) disarmed: bool,
    pub(super) promotion_requested: bool,
}

/// A primary that runs, as any other.
pub(super) const PRIMARY: Looks = Looks {
    process: ProcessState::Running,
    in_recovery: Some(false),
    disarmed: false,
    promotion_requested: false,
};
pub(super) const STANDBY: Looks = Looks {
    in_recovery: Some(true),
    ..PRIMARY
};
pub(super) const FROZEN: Looks = Looks {
    process: ProcessState::Frozen,
    in_recovery: None,
    ..PRIMARY
};
pub(super) const STOPPED: Looks = Looks {
    process: ProcessState::Stopped,
    ..FROZEN
};
pub(super) const ABSENT: Looks = Looks {
    process: ProcessState::Absent,
    ..FROZEN
};

impl Looks {
    pub(super) fn disarmed(self) -> Self {
        Self {
            disarmed: true,
            ..self
        }
    }

    pub(super) fn asked_to_take_over(self) -> Self {
        Self {
            promotion_requested: true,
            ..self
        }
    }
}

/// A controller at work: each of its commands is a visit of its own.
pub(super) struct Stage<'a> {
    pub(super) bench: &'a dyn Bench,
    pub(super) workflow: WorkflowId,
    visit: u32,
}

impl<'a> Stage<'a> {
    pub(super) fn new(bench: &'a dyn Bench) -> Self {
        Self {
            bench,
            workflow: WorkflowId(Uuid::new_v4()),
            visit: 0,
        }
    }

    /// Sends it, and once more as it is: the answer is the same, whatever has become of it since.
    pub(super) async fn expects(&mut self, command: HostCommand, kind: Kind) {
        let envelope = self.envelope(command);
        let first = self.send(&envelope).await;
        assert_eq!(Kind::of(&first), kind, "{:?}: {first:?}", envelope.command);
        let again = self.send(&envelope).await;
        assert_eq!(again, first, "{:?}", envelope.command);
    }

    /// The next one that it would send.
    pub(super) fn envelope(&mut self, command: HostCommand) -> Envelope {
        self.visit += 1;
        let id = CommandId {
            workflow: self.workflow,
            step: "conformance".to_owned(),
            visit: self.visit,
            part: 0,
        };
        Envelope {
            id,
            fence: FENCE,
            command,
        }
    }

    pub(super) async fn send(&self, envelope: &Envelope) -> Result<Outcome, HostError> {
        let hosts = self.bench.hosts();
        hosts.command(self.bench.host(), envelope).await
    }

    pub(super) async fn ask(&self, query: HostQuery) -> Result<Answer, HostError> {
        self.bench.hosts().query(self.bench.host(), &query).await
    }

    pub(super) async fn see(&self, instance: InstanceId) -> Observation {
        match self.ask(HostQuery::Observe { instance }).await {
            Ok(Answer::Observed { observation }) => *observation,
            other => panic!("{other:?}"),
        }
    }

    /// A server that was just told something may take a moment.
    pub(super) async fn finds(&self, instance: InstanceId, looks: Looks) {
        wait_to_see(&format!("{looks:?}"), SOON, async || {
            let seen = self.see(instance).await;
            let found = Looks {
                process: seen.process,
                in_recovery: seen.in_recovery,
                disarmed: seen.disarmed,
                promotion_requested: seen.promotion_requested,
            };
            if found == looks { Ok(()) } else { Err(found) }
        })
        .await;
    }

    pub(super) async fn primary(&mut self) -> InstanceId {
        let instance = InstanceId(Uuid::now_v7());
        let create = HostCommand::CreateInstance {
            instance,
            release: self.bench.release(),
            settings: SETTINGS,
        };
        self.expects(create, Kind::Done).await;
        self.finds(instance, STOPPED).await;
        let start = HostCommand::StartInstance { instance };
        self.expects(start, Kind::Started).await;
        self.finds(instance, PRIMARY).await;
        instance
    }

    /// Copies and starts it, and waits until it streams.
    pub(super) async fn standby_of(&mut self, source: InstanceId) -> InstanceId {
        let instance = InstanceId(Uuid::now_v7());
        let copy = self.copy_of(source, instance).await;
        self.expects(copy, Kind::Done).await;
        wait_until("a copy is complete", SOON, async || {
            let seen = self.see(instance).await;
            matches!(seen.backup, Some(BackupProgress::Done { .. }))
        })
        .await;
        let start = HostCommand::StartInstance { instance };
        self.expects(start, Kind::Started).await;
        wait_until("a standby streams", SOON, async || {
            self.see(instance).await.streaming == Some(true)
        })
        .await;
        self.finds(instance, STANDBY).await;
        instance
    }

    pub(super) async fn copy_of(&self, source: InstanceId, instance: InstanceId) -> HostCommand {
        HostCommand::BaseBackup {
            instance,
            release: self.bench.release(),
            settings: SETTINGS,
            source,
            source_address: self.address(source).await,
            slot: slot_of(instance),
            takes_over: true,
            set_like: None,
        }
    }

    pub(super) async fn address(&self, instance: InstanceId) -> Address {
        let seen = self.see(instance).await;
        seen.address.expect("it is there")
    }

    pub(super) async fn mark(&self, instance: InstanceId) -> Lsn {
        match self.ask(HostQuery::Mark { instance }).await {
            Ok(Answer::Marked { lsn, .. }) => lsn,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn slot_of(instance: InstanceId) -> String {
    format!("conformance_{}", instance.0.simple())
}

pub(super) fn freeze(instance: InstanceId, marker: Lsn) -> HostCommand {
    HostCommand::Freeze {
        instance,
        marker,
        silence_ms: SILENCE_MS,
    }
}
