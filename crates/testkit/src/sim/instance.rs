//! One instance: a PostgreSQL server as a list of commits and the state of its processes.

use std::collections::BTreeSet;

use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{
    Address, BackupProgress, FenceMeans, Identity, Observation, ProcessState,
};
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::release::ReleaseName;

/// Where the log of a new cluster begins, and how long each record of it is.
const BEGINNING: u64 = 0x100_0000;
const RECORD_BYTES: u64 = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Commit(u64),
    /// A commit of our own.
    Marker,
}

#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) release: ReleaseName,
    pub(super) system_identifier: u64,
    /// Shared by those of which one may take writes: a follower that is let go begins its own.
    pub(super) lineage: u64,
    pub(super) process: ProcessState,
    /// It has ended of itself, with all of its log on disk.
    pub(super) shut_down: bool,
    /// How often it was started, or started itself anew.
    pub(super) runs: u32,
    pub(super) timeline: TimelineId,
    pub(super) wal: Vec<Record>,
    /// Records of `wal` that are on disk, and so can be sent to a standby.
    pub(super) flushed: usize,
    /// Whom it follows; `None` for a primary.
    pub(super) source: Option<InstanceId>,
    pub(super) slots: BTreeSet<String>,
    /// That of its source which keeps WAL for it.
    pub(super) slot: Option<String>,
    /// Looks that a running copy still takes.
    pub(super) copy_looks: u32,
    pub(super) is_copy: bool,
    pub(super) disarmed: bool,
    pub(super) promotion_requested: bool,
    /// It was stopped to be started again: nobody may come to it meanwhile.
    pub(super) is_restarting: bool,
    /// Settings that wait for a restart.
    pub(super) waiting: Vec<WaitingSetting>,
}

pub(super) fn lsn(records: usize) -> Lsn {
    Lsn(BEGINNING + records as u64 * RECORD_BYTES)
}

/// How many records end at or before it.
pub(super) fn records(lsn: Lsn) -> usize {
    ((lsn.0 - BEGINNING) / RECORD_BYTES) as usize
}

impl Instance {
    pub(super) fn new(
        id: InstanceId,
        release: ReleaseName,
        system_identifier: u64,
        lineage: u64,
    ) -> Self {
        Self {
            id,
            release,
            system_identifier,
            lineage,
            process: ProcessState::Stopped,
            shut_down: false,
            runs: 0,
            timeline: TimelineId(1),
            wal: Vec::new(),
            flushed: 0,
            source: None,
            slots: BTreeSet::new(),
            slot: None,
            copy_looks: 0,
            is_copy: false,
            disarmed: false,
            promotion_requested: false,
            is_restarting: false,
            waiting: Vec::new(),
        }
    }

    /// A copy of this one, on another release, which follows it once started.
    pub(super) fn copy(&self, id: InstanceId, release: ReleaseName, slot: &str) -> Self {
        Self {
            timeline: self.timeline,
            wal: self.wal[..self.flushed].to_vec(),
            flushed: self.flushed,
            source: Some(self.id),
            slot: Some(slot.to_owned()),
            copy_looks: 2,
            is_copy: true,
            ..Self::new(id, release, self.system_identifier, self.lineage)
        }
    }

    /// It begins another run of its processes.
    pub(super) fn run(&mut self) {
        self.runs += 1;
        (self.process, self.shut_down) = (ProcessState::Running, false);
    }

    pub(super) fn is_running(&self) -> bool {
        self.process == ProcessState::Running
    }

    pub(super) fn in_recovery(&self) -> bool {
        self.source.is_some() || self.disarmed
    }

    pub(super) fn takes_writes(&self) -> bool {
        self.is_running() && !self.in_recovery()
    }

    pub(super) fn commit(&mut self, record: Record, flush: bool) {
        self.wal.push(record);
        if flush {
            self.flushed = self.wal.len();
        }
    }

    pub(super) fn has(&self, commit: u64) -> bool {
        self.wal.contains(&Record::Commit(commit))
    }

    pub(super) fn commits_behind(&self, marker: Lsn) -> usize {
        let behind = self.wal.iter().skip(records(marker));
        behind
            .filter(|record| matches!(record, Record::Commit(_)))
            .count()
    }

    pub(super) fn address(&self) -> Address {
        Address::Unix {
            directory: format!("/run/simulated/{}", self.id),
            port: 5432,
        }
    }

    pub(super) fn identity(&self) -> Identity {
        Identity {
            system_identifier: self.system_identifier,
            token: self.id.to_string(),
        }
    }

    pub(super) fn observe(&self) -> Observation {
        let known = self.is_running();
        let received = Some(lsn(self.wal.len())).filter(|_| known);
        Observation {
            instance: self.id,
            process: self.process,
            release: Some(self.release.clone()),
            version: None,
            address: Some(self.address()),
            identity: Some(self.identity()),
            accepts_connections: known,
            in_recovery: known.then(|| self.in_recovery()),
            timeline: Some(self.timeline),
            flushed_lsn: Some(lsn(self.flushed)).filter(|_| known),
            replayed_lsn: received.filter(|_| self.in_recovery()),
            run: known.then(|| self.runs.to_string()),
            streaming: (known && self.in_recovery()).then_some(true),
            backup: self.is_copy.then(|| self.progress()),
            disarmed: self.disarmed,
            promotion_requested: self.promotion_requested,
            fence: FenceMeans::Freeze,
            free_bytes: Some(1 << 40),
            replay_held_back: None,
            waiting_settings: known.then(|| self.waiting.iter().map(|w| w.name.clone()).collect()),
        }
    }

    fn progress(&self) -> BackupProgress {
        if self.copy_looks == 0 {
            return BackupProgress::Done { bytes: 1 << 20 };
        }
        BackupProgress::Running {
            bytes_done: 1 << 10,
            bytes_total: Some(1 << 20),
        }
    }
}

/// What is seen where there is nothing.
pub(super) fn absent(instance: InstanceId) -> Observation {
    Observation {
        instance,
        process: ProcessState::Absent,
        release: None,
        version: None,
        address: None,
        identity: None,
        accepts_connections: false,
        in_recovery: None,
        timeline: None,
        flushed_lsn: None,
        replayed_lsn: None,
        run: None,
        streaming: None,
        backup: None,
        disarmed: false,
        promotion_requested: false,
        fence: FenceMeans::Freeze,
        free_bytes: None,
        replay_held_back: None,
        waiting_settings: None,
    }
}
