//! Everything there is in the simulated world, what happens by itself in it, and the rules that
//! must hold at every moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use upkeep_domain::dry_start::Finding;
use upkeep_domain::host_command::{CommandId, Fence, HostError, Outcome};
use upkeep_domain::id::{InstanceId, WorkflowId};
use upkeep_domain::instance::{FenceMeans, Observation, ProcessState};
use upkeep_domain::preflight::Facts;
use upkeep_domain::release::{BASEBACKUP, REQUIRED_PROGRAMS, Release, Source};
use upkeep_domain::route::Access;

use super::clients::Clients;
use super::fault::Faults;
use super::gate::Gate;
use super::instance::{Instance, Record, absent};

/// Records that a standby receives between two calls: it lags behind a busy primary.
const STREAMED: usize = 1;

pub(super) struct Model {
    pub(super) faults: Faults,
    pub(super) releases: Vec<Release>,
    pub(super) instances: BTreeMap<InstanceId, Instance>,
    pub(super) clusters: u64,
    pub(super) lineages: u64,
    pub(super) journal: HashMap<CommandId, Result<Outcome, HostError>>,
    pub(super) fences: HashMap<InstanceId, Fence>,
    /// Who spoke last to each, and in which visit.
    pub(super) visits: HashMap<InstanceId, (Fence, WorkflowId, u32)>,
    pub(super) gates: BTreeMap<String, Gate>,
    pub(super) clients: Clients,
    /// What every server here says of itself beforehand: nothing that stands in the way.
    pub(super) facts: Facts,
    pub(super) obstacles: Vec<Finding>,
    /// Instances that cannot be started.
    pub(super) ruined: BTreeSet<InstanceId>,
    /// The last records of a server that shuts down reach nobody.
    pub(super) cut_off: bool,
    pub(super) cannot_freeze: bool,
    pub(super) fence: FenceMeans,
    /// Instances that start only as they did before.
    pub(super) unstartable: BTreeSet<InstanceId>,
    pub(super) stale_calls: u32,
    pub(super) violations: Vec<String>,
}

impl Model {
    pub(super) fn new(releases: &[&str]) -> Self {
        Self {
            faults: Faults::default(),
            releases: releases.iter().map(|name| release(name)).collect(),
            instances: BTreeMap::new(),
            clusters: 0,
            lineages: 0,
            journal: HashMap::new(),
            fences: HashMap::new(),
            visits: HashMap::new(),
            gates: BTreeMap::new(),
            clients: Clients::default(),
            facts: Facts::default(),
            obstacles: Vec::new(),
            ruined: BTreeSet::new(),
            cut_off: false,
            cannot_freeze: false,
            fence: FenceMeans::Freeze,
            unstartable: BTreeSet::new(),
            stale_calls: 0,
            violations: Vec::new(),
        }
    }

    pub(super) fn broken(&mut self, rule: impl Into<String>) {
        let rule = rule.into();
        if !self.violations.contains(&rule) {
            self.violations.push(rule);
        }
    }

    pub(super) fn observe(&self, instance: InstanceId) -> Observation {
        let there = self.instances.get(&instance);
        Observation {
            fence: self.fence,
            streaming: there.and_then(|there| self.streams(there)),
            ..there.map_or_else(|| absent(instance), Instance::observe)
        }
    }

    /// What happens by itself between two calls: standbys receive what was flushed before, leases
    /// end, and clients commit.
    pub(super) fn time_passes(&mut self) {
        let ids: Vec<_> = self.instances.keys().copied().collect();
        for id in ids {
            self.stream(id, STREAMED);
        }
        let dbnames: Vec<_> = self.gates.keys().cloned().collect();
        for dbname in dbnames {
            let gate = self.gates.get_mut(&dbname).expect("its key was just read");
            gate.lapse();
            let (target, access) = (gate.target.instance, gate.access);
            match access {
                _ if !gate.is_open() => {}
                Access::ReadWrite => self.client_commits(&dbname, target),
                Access::ReadOnly => self.client_reads(&dbname, target),
            }
        }
    }

    /// The standby receives some more of what its source has on disk.
    pub(super) fn stream(&mut self, standby: InstanceId, records_max: usize) {
        let Some(source) = self
            .instances
            .get(&standby)
            .and_then(|standby| standby.source)
        else {
            return;
        };
        let source = self.instances.get(&source);
        let Some(source) = source.filter(|source| source.is_running()) else {
            return;
        };
        let flushed = source.wal[..source.flushed].to_vec();
        let timeline = source.timeline;
        let standby = self.instances.get_mut(&standby).expect("it was just read");
        if standby.is_running() && flushed.starts_with(&standby.wal) {
            standby.timeline = timeline;
            let received = flushed
                .len()
                .min(standby.wal.len().saturating_add(records_max));
            standby.wal = flushed[..received].to_vec();
            standby.flushed = received;
        }
    }

    /// Whether a standby receives what its source has; `None` of what is no standby, or does not run.
    fn streams(&self, standby: &Instance) -> Option<bool> {
        if !standby.is_running() || !standby.in_recovery() {
            return None;
        }
        let source = standby
            .source
            .and_then(|source| self.instances.get(&source));
        Some(source.is_some_and(|source| {
            let (has, had) = (&source.wal[..source.flushed], &standby.wal[..]);
            source.is_running() && (has.starts_with(had) || had.starts_with(has))
        }))
    }

    /// Sessions that only read are on it.
    pub(super) fn has_readers(&self, instance: InstanceId) -> bool {
        let reads = |gate: &Gate| gate.access == Access::ReadOnly;
        let mut gates = self.gates.values();
        gates.any(|gate| reads(gate) && gate.target.instance == instance)
    }

    /// Nobody reads the past, nor where nothing is.
    fn client_reads(&mut self, dbname: &str, target: InstanceId) {
        let server = self.instances.get(&target);
        let there = server.map(|server| (server.is_running(), server.wal.len()));
        let gate = self.gates.get_mut(dbname).expect("its key was just read");
        match there {
            Some((true, shows)) if shows < gate.shown => {
                self.broken("a reader was shown less than before");
            }
            Some((true, shows)) => gate.shown = shows,
            // It died of itself: an outage, and nobody's error.
            Some((false, _)) => {}
            None => self.broken("readers were left where nothing is"),
        }
    }

    fn client_commits(&mut self, dbname: &str, target: InstanceId) {
        match self.instances.get_mut(&target) {
            Some(server) if server.takes_writes() => {
                let (commit, flush) = self.clients.next(dbname);
                server.commit(Record::Commit(commit), flush);
            }
            // It died of itself: an outage, and nobody's error.
            Some(server)
                if server.process == ProcessState::Stopped
                    && !server.disarmed
                    && !server.is_restarting => {}
            _ => self.broken("clients were let go onto a server that takes no writes"),
        }
    }

    /// What must be true after every call.
    pub(super) fn look(&mut self) {
        let mut writers: BTreeMap<u64, u32> = BTreeMap::new();
        for instance in self
            .instances
            .values()
            .filter(|instance| instance.takes_writes())
        {
            *writers.entry(instance.lineage).or_default() += 1;
        }
        if writers.values().any(|&writers| writers > 1) {
            self.broken("two servers of one database take writes");
        }
        if self.gates.values().any(Gate::expired) {
            self.broken("clients were held beyond the hard limit");
        }
    }

    /// Copies of this cluster that somebody asked to take over from `instance`.
    pub(super) fn was_taken_over(&self, instance: InstanceId) -> bool {
        let Some(instance) = self.instances.get(&instance) else {
            return false;
        };
        self.instances.values().any(|other| {
            other.id != instance.id
                && other.lineage == instance.lineage
                && other.promotion_requested
                && other.timeline >= instance.timeline
        })
    }

    /// Commits of the database's clients that were acknowledged and are not on this server.
    pub(super) fn lost_commits(&self, dbname: &str, server: InstanceId) -> usize {
        let Some(server) = self.instances.get(&server) else {
            return self.clients.of(dbname).count();
        };
        self.clients
            .of(dbname)
            .filter(|&commit| !server.has(commit))
            .count()
    }

    fn slots_are_used(&self, source: &Instance) -> bool {
        let used = |slot: &String| {
            let mut followers = self.instances.values();
            followers.any(|f| f.source == Some(source.id) && f.slot.as_ref() == Some(slot))
        };
        source.slots.iter().all(used)
    }

    pub(super) fn unsettled(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (dbname, gate) in &self.gates {
            if !gate.is_open() {
                found.push(format!("clients of {dbname} are held"));
            }
            if gate.prepared.is_some() {
                found.push(format!("spare sessions of {dbname} are left"));
            }
            let target = gate.target.instance;
            let server = self.instances.get(&target);
            match gate.access {
                Access::ReadWrite if !server.is_some_and(Instance::takes_writes) => {
                    found.push(format!("{dbname} takes no writes"));
                }
                Access::ReadOnly if server.and_then(|s| self.streams(s)) != Some(true) => {
                    found.push(format!("{dbname} does not follow"));
                }
                Access::ReadWrite | Access::ReadOnly => {}
            }
            match self.lost_commits(dbname, target) {
                0 => {}
                lost => found.push(format!("{lost} commits of {dbname} are lost")),
            }
        }
        let targets: BTreeSet<_> = self
            .gates
            .values()
            .map(|gate| gate.target.instance)
            .collect();
        for instance in self.instances.values() {
            if instance.process == ProcessState::Frozen {
                found.push("an instance is frozen".to_owned());
            }
            let follows_a_target = instance
                .source
                .is_some_and(|source| targets.contains(&source));
            if instance.is_running() && !targets.contains(&instance.id) && !follows_a_target {
                found.push("an instance runs to which no client goes".to_owned());
            }
            if instance.is_running() && !self.slots_are_used(instance) {
                found.push("a replication slot keeps WAL for nobody".to_owned());
            }
            if instance.process == ProcessState::Stopped && !instance.in_recovery() {
                found.push("an old instance could start as a primary".to_owned());
            }
        }
        found
    }
}

fn release(name: &str) -> Release {
    let version = name.split('-').next().unwrap_or(name);
    let programs = REQUIRED_PROGRAMS.into_iter().chain([BASEBACKUP]);
    Release {
        name: name.parse().expect("a test names its releases well"),
        version: version
            .parse()
            .expect("a test's release begins with its version"),
        source: Source::System { dir: "/".into() },
        bin_dir: "/bin".into(),
        library_dir: None,
        programs: programs.map(str::to_owned).collect(),
        extensions: BTreeSet::new(),
        tls: true,
        icu: true,
        relocatable: false,
        added_ms: 0,
    }
}
