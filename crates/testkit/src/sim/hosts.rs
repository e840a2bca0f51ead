//! The agent's side of the simulated world: fences, the journal, and what each command does.

use async_trait::async_trait;
use upkeep_domain::host_command::{Answer, Envelope, HostCommand, HostError, HostQuery, Outcome};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::{FenceMeans, ProcessState};
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::ports::Hosts;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::ReleaseName;

use super::Sim;
use super::fault::Doing;
use super::gate::Gate;
use super::instance::{Instance, Record, lsn};
use super::model::Model;

type Done = Result<Outcome, HostError>;

pub(super) fn failed(sentence: &str) -> HostError {
    let sentence = sentence.to_owned();
    HostError::Failed { sentence }
}

fn refused(kind: RefusalKind, sentence: &str) -> HostError {
    let refusal = Refusal::new(kind, sentence);
    HostError::Refused { refusal }
}

fn conflict(sentence: &str) -> HostError {
    refused(RefusalKind::Conflict, sentence)
}

impl Model {
    fn command(&mut self, envelope: &Envelope, doing: Doing<HostError>) -> Done {
        if let Some(instance) = envelope.command.instance() {
            let seen = self.fences.entry(instance).or_default();
            if envelope.fence < *seen {
                self.stale_calls += 1;
                return Err(HostError::Stale {
                    sent: envelope.fence,
                    seen: *seen,
                });
            }
            *seen = envelope.fence;
            self.admit_visit(instance, envelope)?;
        }
        if let Some(recorded) = self.journal.get(&envelope.id) {
            return recorded.clone();
        }
        let done = match doing {
            Doing::Really => self.execute(&envelope.command),
            Doing::Not(error) => Err(error),
            Doing::ButSaying(error) => self.execute(&envelope.command).and(Err(error)),
        };
        self.journal.insert(envelope.id.clone(), done.clone());
        done
    }

    /// What an earlier visit of a workflow sent must not act after a later one.
    fn admit_visit(&mut self, instance: InstanceId, envelope: &Envelope) -> Result<(), HostError> {
        let (fence, id) = (envelope.fence, &envelope.id);
        let visit = match self.visits.get(&instance) {
            Some(&(last, workflow, visit)) if (last, workflow) == (fence, id.workflow) => visit,
            _ => 0,
        };
        if id.visit < visit {
            return Err(conflict("it comes too late: a later visit has spoken"));
        }
        self.visits.insert(instance, (fence, id.workflow, id.visit));
        Ok(())
    }

    fn execute(&mut self, command: &HostCommand) -> Done {
        match command {
            HostCommand::CreateInstance {
                instance, release, ..
            } => {
                self.create(*instance, release);
                Ok(Outcome::Done)
            }
            HostCommand::StartInstance { instance } => self.start(*instance),
            HostCommand::CreateDatabase { instance, .. }
            | HostCommand::Checkpoint { instance, .. }
            | HostCommand::ReloadInstance { instance } => {
                self.running(*instance).map(|_| Outcome::Done)
            }
            HostCommand::StopInstance { instance } => {
                self.there(*instance)?.process = ProcessState::Stopped;
                Ok(Outcome::Done)
            }
            HostCommand::BaseBackup {
                instance,
                release,
                source,
                slot,
                ..
            } => self.base_backup(*instance, release, *source, slot),
            HostCommand::PatchStandby { instance, release } => self.patch(*instance, release),
            HostCommand::Rejoin {
                instance,
                release,
                upstream,
                slot,
                ..
            } => self.rejoin(*instance, release, *upstream, slot),
            HostCommand::Follow {
                instance,
                upstream,
                slot,
                ..
            } => self.follow(*instance, *upstream, slot),
            HostCommand::DropSlot { instance, slot } => {
                if self.instances.contains_key(instance) {
                    self.running(*instance)?.slots.remove(slot);
                }
                Ok(Outcome::Done)
            }
            HostCommand::Freeze {
                instance, marker, ..
            } => self.freeze(*instance, *marker),
            HostCommand::StopPrimary { instance, .. } => self.stop_primary(*instance),
            HostCommand::Thaw { instance } => self.thaw(*instance),
            HostCommand::Disarm { instance } => self.disarm(*instance),
            HostCommand::Rearm { instance } => self.rearm(*instance),
            HostCommand::Promote { instance } => self.promote(*instance),
            HostCommand::KillInstance { instance } => self.kill(*instance),
            HostCommand::HandOverArchive { .. } => Ok(Outcome::HandedOver { files: 0 }),
            HostCommand::StopBriefly { instance } => self.stop_briefly(*instance),
            HostCommand::StartAgain { instance, release } => self.start_again(*instance, release),
            HostCommand::RemoveInstance { instance } => {
                self.instances.remove(instance);
                Ok(Outcome::Done)
            }
            HostCommand::AddRelease { .. } | HostCommand::RemoveRelease { .. } => {
                let refusal = Refusal::invalid("releases of a simulated host are given");
                Err(HostError::Refused { refusal })
            }
        }
    }

    pub(super) fn there(&mut self, instance: InstanceId) -> Result<&mut Instance, HostError> {
        self.instances
            .get_mut(&instance)
            .ok_or_else(|| refused(RefusalKind::NotFound, "there is no such instance"))
    }

    pub(super) fn running(&mut self, instance: InstanceId) -> Result<&mut Instance, HostError> {
        let instance = self.there(instance)?;
        let running = instance.is_running().then_some(instance);
        running.ok_or_else(|| failed("the instance does not run"))
    }

    fn create(&mut self, instance: InstanceId, release: &ReleaseName) {
        self.clusters += 1;
        self.lineages += 1;
        let made = Instance::new(instance, release.clone(), self.clusters, self.lineages);
        self.instances.entry(instance).or_insert(made);
    }

    fn start(&mut self, instance: InstanceId) -> Done {
        if self.ruined.contains(&instance) {
            return Err(failed("its files are damaged"));
        }
        let taken_over = self.was_taken_over(instance);
        let there = self.there(instance)?;
        if there.copy_looks > 0 {
            return Err(refused(RefusalKind::NotReady, "the copy is not complete"));
        }
        if there.process == ProcessState::Frozen {
            return Err(conflict("the instance is frozen"));
        }
        if !there.is_running() {
            there.run();
        }
        there.is_restarting = false;
        let writes = there.takes_writes();
        let observation = Box::new(there.observe());
        if writes && taken_over {
            self.broken("an old primary was started as a primary after a promotion request");
        }
        Ok(Outcome::Started { observation })
    }

    fn base_backup(
        &mut self,
        instance: InstanceId,
        release: &ReleaseName,
        source: InstanceId,
        slot: &str,
    ) -> Done {
        let source = self.running(source)?;
        source.slots.insert(slot.to_owned());
        let copy = source.copy(instance, release.clone(), slot);
        self.instances.insert(instance, copy);
        Ok(Outcome::Done)
    }

    fn patch(&mut self, instance: InstanceId, release: &ReleaseName) -> Done {
        let there = self.there(instance)?;
        if !there.in_recovery() {
            return Err(failed("only a standby is patched"));
        }
        if there.release != *release || !there.is_running() {
            there.release = release.clone();
            there.run();
        }
        let observation = Box::new(there.observe());
        Ok(Outcome::Started { observation })
    }

    /// What it has that the other has not is taken back.
    fn rejoin(
        &mut self,
        instance: InstanceId,
        release: &ReleaseName,
        upstream: InstanceId,
        slot: &str,
    ) -> Done {
        let there = self.there(instance)?;
        let follows = there.source == Some(upstream);
        if !follows && (!there.disarmed || there.process != ProcessState::Stopped) {
            return Err(failed("only what was taken out and ended rejoins"));
        }
        let source = self.running(upstream)?;
        source.slots.insert(slot.to_owned());
        let copy = source.copy(instance, release.clone(), slot);
        let there = self.there(instance)?;
        let rewound = !copy.wal.starts_with(&there.wal);
        *there = Instance {
            copy_looks: 0,
            runs: there.runs,
            slots: there.slots.clone(),
            ..copy
        };
        there.run();
        Ok(Outcome::Rejoined { rewound })
    }

    fn follow(&mut self, instance: InstanceId, upstream: InstanceId, slot: &str) -> Done {
        let there = self.there(instance)?;
        let (is_standby, cluster) = (there.source.is_some(), there.system_identifier);
        if !is_standby {
            return Err(conflict("only a standby follows"));
        }
        let upstream_there = self.running(upstream)?;
        if upstream_there.system_identifier != cluster {
            return Err(conflict("it is of another cluster"));
        }
        upstream_there.slots.insert(slot.to_owned());
        let there = self.there(instance)?;
        (there.source, there.slot) = (Some(upstream), Some(slot.to_owned()));
        let not_yet = (!there.is_running()).then(|| "its server does not run".to_owned());
        Ok(Outcome::Follows { not_yet })
    }

    fn freeze(&mut self, instance: InstanceId, marker: Lsn) -> Done {
        if self.there(instance)?.source.is_some() {
            return Err(conflict("only a primary is fenced"));
        }
        if self.cannot_freeze || self.fence != FenceMeans::Freeze {
            let sentence = "as the simulation was told".to_owned();
            return Ok(Outcome::NotFrozen { sentence });
        }
        let bypassed = self.clients.bypassing > 0;
        let dbname = self.dbname_of(instance);
        let there = self.there(instance)?;
        let killed = there.process == ProcessState::Stopped;
        if bypassed && there.takes_writes() {
            self.clients.bypassing -= 1;
            let (commit, _) = self.clients.next(&dbname);
            self.there(instance)?.commit(Record::Commit(commit), true);
        }
        let there = self.there(instance)?;
        if !killed {
            there.process = ProcessState::Frozen;
        }
        match there.commits_behind(marker) {
            0 => Ok(Outcome::Fenced {
                processes: if killed { 0 } else { 8 },
                killed,
            }),
            behind => Ok(Outcome::Behind {
                transactions: behind as u32,
                end: lsn(there.wal.len()),
            }),
        }
    }

    /// What follows it has received all of its log when it ends.
    fn stop_primary(&mut self, instance: InstanceId) -> Done {
        let there = self.there(instance)?;
        if there.process == ProcessState::Frozen {
            return Err(failed("the instance is frozen"));
        }
        if there.is_running() {
            there.commit(Record::Marker, true);
            let reached = self.instances.keys().filter(|_| !self.cut_off);
            for id in reached.copied().collect::<Vec<_>>() {
                self.stream(id, usize::MAX);
            }
            let there = self.there(instance)?;
            (there.process, there.shut_down) = (ProcessState::Stopped, true);
        }
        let there = self.there(instance)?;
        if !there.shut_down {
            return Err(failed("it has died and was not shut down"));
        }
        Ok(Outcome::ShutDown {
            checkpoint: lsn(there.wal.len() - 1),
        })
    }

    fn dbname_of(&self, instance: InstanceId) -> String {
        let mut gates = self.gates.iter();
        let gate = gates.find(|(_, gate)| gate.target.instance == instance);
        gate.map_or_else(String::new, |(dbname, _)| dbname.clone())
    }

    /// What runs is not taken out.
    fn disarm(&mut self, instance: InstanceId) -> Done {
        let there = self.there(instance)?;
        if there.is_running() {
            return Err(conflict("it runs; freeze or stop it first"));
        }
        there.disarmed = true;
        Ok(Outcome::Done)
    }

    fn thaw(&mut self, instance: InstanceId) -> Done {
        if self.there(instance)?.disarmed {
            return Err(conflict("it is disarmed; rearm it first"));
        }
        if self.was_taken_over(instance) {
            self.broken("an old primary was thawed after a promotion request");
        }
        let there = self.there(instance)?;
        let ended = there.process == ProcessState::Stopped;
        (there.process, there.shut_down) = (ProcessState::Running, false);
        if ended {
            let observation = Box::new(there.observe());
            return Ok(Outcome::Started { observation });
        }
        Ok(Outcome::Done)
    }

    fn rearm(&mut self, instance: InstanceId) -> Done {
        if self.was_taken_over(instance) {
            self.broken("an old primary was armed again after a promotion request");
        }
        self.there(instance)?.disarmed = false;
        Ok(Outcome::Done)
    }

    /// A refusal says that nobody has asked it.
    fn promote(&mut self, instance: InstanceId) -> Done {
        let there = self.there(instance)?;
        let asked = there.promotion_requested;
        let may_be = there.source.is_some() && !there.disarmed;
        if !asked && (!may_be || there.process == ProcessState::Frozen) {
            return Err(conflict("it cannot take over, and was not asked to"));
        }
        if !there.is_running() {
            self.start(instance)?;
        }
        let there = self.running(instance)?;
        there.promotion_requested = true;
        if let Some(source) = there.source.take() {
            there.timeline = TimelineId(there.timeline.0 + 1);
            if self.has_readers(instance) {
                self.lineages += 1;
                self.running(instance)?.lineage = self.lineages;
            } else {
                self.judge_promotion(instance, source);
            }
        }
        let there = self.running(instance)?;
        there.commit(Record::Marker, true);
        Ok(Outcome::Promoted {
            timeline: there.timeline,
            promote_to_write_ms: 2.0.into(),
        })
    }

    fn judge_promotion(&mut self, instance: InstanceId, source: InstanceId) {
        let dbname = self.dbname_of(source);
        match self.lost_commits(&dbname, instance) {
            0 => {}
            lost => self.broken(format!("a promotion lost {lost} acknowledged commits")),
        }
        let Some(old) = self.instances.get(&source) else {
            return;
        };
        if !old.disarmed {
            self.broken("a promotion was asked for before the old primary was disarmed");
        }
    }

    fn kill(&mut self, instance: InstanceId) -> Done {
        let there = self.there(instance)?;
        if there.is_running() && !there.disarmed {
            return Err(conflict("what runs and is not fenced is not killed"));
        }
        there.process = ProcessState::Stopped;
        Ok(Outcome::Done)
    }

    /// Clients that are not held, or could be let go by silence, would find nobody.
    fn stop_briefly(&mut self, instance: InstanceId) -> Done {
        let target_of = |gate: &&Gate| gate.target.instance == instance;
        let sealed = |gate: &Gate| gate.hold.as_ref().is_some_and(|hold| hold.sealed);
        if !self.gates.values().filter(target_of).all(sealed) {
            self.broken("a server was stopped under clients that were not held for good");
        }
        let there = self.there(instance)?;
        // A shutdown flushes everything.
        there.flushed = there.wal.len();
        there.process = ProcessState::Stopped;
        there.is_restarting = true;
        Ok(Outcome::Stopped {
            stop_ms: 50.0.into(),
            not_waited_for: Vec::new(),
        })
    }

    /// Whoever cannot start with what is wanted runs as before.
    fn start_again(&mut self, instance: InstanceId, release: &ReleaseName) -> Done {
        if self.ruined.contains(&instance) {
            let sentence = "it does not start, and did not as before either".to_owned();
            return Ok(Outcome::NotStarted { sentence });
        }
        let refused = self.unstartable.contains(&instance);
        let there = self.there(instance)?;
        if !there.is_running() && !refused {
            there.release = release.clone();
            there.waiting.clear();
        }
        let Outcome::Started { observation } = self.start(instance)? else {
            return Err(failed("it was not started"));
        };
        self.there(instance)?.commit(Record::Marker, true);
        Ok(Outcome::StartedAgain {
            observation,
            fell_back: refused.then(|| "it did not start with what was wanted".to_owned()),
            start_to_write_ms: 70.0.into(),
        })
    }
}

#[async_trait]
impl Hosts for Sim {
    async fn command(&self, _host: HostId, envelope: &Envelope) -> Done {
        self.make(true, |model, doing| model.command(envelope, doing))
            .await
    }

    async fn query(&self, _host: HostId, query: &HostQuery) -> Result<Answer, HostError> {
        self.make(false, |model, doing| match doing {
            Doing::Really => model.query(query),
            Doing::Not(error) => Err(error),
            Doing::ButSaying(error) => model.query(query).and(Err(error)),
        })
        .await
    }
}
