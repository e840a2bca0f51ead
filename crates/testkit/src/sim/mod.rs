//! A simulated world behind `domain::ports::{Hosts, Traffic}`: hosts, their instances, the endpoint
//! and its clients, as far as a controller can tell them from the real ones.
//!
//! It keeps the promises of agent and endpoint (fences, a journal of commands, leases of holds) and
//! is a witness besides: at every call it looks whether a rule of the product was broken. Faults are
//! put in by their place: the n-th call of a step.
//!
//! It is no test of agent or endpoint, and PostgreSQL is only a list of commits here. That hosts keep to the same as
//! real agents do is seen to by [`conformance`](crate::conformance).

mod clients;
mod fault;
mod gate;
mod hosts;
mod instance;
mod letterbox;
mod model;
mod queries;
mod traffic;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::sleep_until;
use upkeep_domain::dry_start::{Finding, WaitingSetting};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{FenceMeans, Observation, ProcessState};
use upkeep_domain::preflight::Facts;

use fault::{Answerable, Doing};
pub use fault::{Fault, Place};
use gate::Gate;
use instance::Record;
pub use letterbox::{Letterbox, Mishap};
use model::Model;

/// The world. Share it behind an `Arc`: it outlives any controller.
pub struct Sim {
    model: Mutex<Model>,
    hung: Notify,
}

impl Sim {
    /// A host with these releases, named like `15.18-a`.
    pub fn new(releases: &[&str]) -> Self {
        Self {
            model: Mutex::new(Model::new(releases)),
            hung: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling task begins a visit of this step: its calls are counted from here.
    pub fn enter(&self, procedure: &str, step: &str) {
        self.lock().faults.enter(procedure, step);
    }

    /// The fault comes at that place, once.
    pub fn inject(&self, place: Place, fault: Fault) {
        self.lock().faults.plan(place, fault, false);
    }

    /// The fault comes at that place each time.
    pub fn inject_for_ever(&self, place: Place, fault: Fault) {
        self.lock().faults.plan(place, fault, true);
    }

    /// Whatever was in the way is put right: no fault is planned any more.
    pub fn heal(&self) {
        self.lock().faults.forget_planned();
    }

    /// The calls that the longest visit of this step has made: whether each changes anything.
    pub fn calls_made(&self, procedure: &str, step: &str) -> Vec<bool> {
        self.lock().faults.calls_made(procedure, step)
    }

    /// Returns when a call hangs for ever ([`Fault::HangBefore`], [`Fault::HangAfter`]).
    pub async fn hung(&self) {
        self.hung.notified().await;
    }

    /// A client that bypasses the endpoint commits just before each of the next fences.
    pub fn bypass(&self, fences: u32) {
        self.lock().clients.bypassing = fences;
    }

    /// The host is set up to stop primaries instead of freezing them.
    pub fn fence_by_clean_stop(&self) {
        self.lock().fence = FenceMeans::CleanStop;
    }

    /// The host finds out only at the fence that it cannot freeze.
    pub fn cannot_freeze(&self) {
        self.lock().cannot_freeze = true;
    }

    /// The last records of a server that shuts down reach nobody.
    pub fn cut_off_standbys(&self) {
        self.lock().cut_off = true;
    }

    /// The processes of an instance die, as of a lack of memory.
    pub fn crash(&self, instance: InstanceId) {
        if let Some(instance) = self.lock().instances.get_mut(&instance) {
            instance.process = ProcessState::Stopped;
        }
    }

    /// The processes of an instance die, and its files are damaged: it cannot be started again.
    pub fn ruin(&self, instance: InstanceId) {
        self.crash(instance);
        self.damage(instance);
    }

    /// The files of an instance are damaged: once it is stopped it cannot be started again.
    pub fn damage(&self, instance: InstanceId) {
        self.lock().ruined.insert(instance);
    }

    /// A person has put its files right.
    pub fn mend(&self, instance: InstanceId) {
        self.lock().ruined.remove(&instance);
    }

    /// An instance starts only as it did before, whatever is wanted of it.
    pub fn refuse_what_is_new(&self, instance: InstanceId) {
        self.lock().unstartable.insert(instance);
    }

    /// The next start of an instance changes this setting.
    pub fn let_wait(&self, instance: InstanceId, name: &str) {
        if let Some(instance) = self.lock().instances.get_mut(&instance) {
            instance.waiting.push(WaitingSetting {
                name: name.to_owned(),
                before: "1".to_owned(),
                after: "2".to_owned(),
            });
        }
    }

    /// What was changed is changed back before any start.
    pub fn let_wait_no_more(&self, instance: InstanceId) {
        if let Some(instance) = self.lock().instances.get_mut(&instance) {
            instance.waiting.clear();
        }
    }

    /// Comes back when silence has let everybody go whom it lets go.
    pub async fn holds_have_lapsed(&self) {
        let next = || self.lock().gates.values().find_map(Gate::lapses_at);
        while let Some(until) = next() {
            sleep_until(until).await;
        }
    }

    /// Somebody commits who comes past the endpoint.
    pub fn commit(&self, instance: InstanceId) {
        if let Some(instance) = self.lock().instances.get_mut(&instance) {
            instance.commit(Record::Commit(u64::MAX), true);
        }
    }

    /// Something about the servers here that a maintenance has to know.
    pub fn set_facts(&self, change: impl FnOnce(&mut Facts)) {
        change(&mut self.lock().facts);
    }

    /// Why no server here would start.
    pub fn set_obstacles(&self, obstacles: Vec<Finding>) {
        self.lock().obstacles = obstacles;
    }

    /// A server ends its children and starts them anew, as after one of them has crashed.
    pub fn restart_itself(&self, instance: InstanceId) {
        if let Some(instance) = self.lock().instances.get_mut(&instance) {
            instance.run();
        }
    }

    /// An instance is gone with all its files.
    pub fn vanish(&self, instance: InstanceId) {
        self.lock().instances.remove(&instance);
    }

    /// The endpoint loses what it knew, as one that was made anew.
    pub fn forget_routes(&self) {
        self.lock().gates.clear();
    }

    /// Every rule of the product that was broken, in words.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    /// Calls that were refused because a newer controller had been seen.
    pub fn stale_calls(&self) -> u32 {
        self.lock().stale_calls
    }

    pub fn acknowledged(&self) -> usize {
        self.lock().clients.acknowledged()
    }

    /// What there is besides databases that are open to their clients on one running primary, and
    /// standbys that follow it.
    pub fn unsettled(&self) -> Vec<String> {
        self.lock().unsettled()
    }

    pub fn instances(&self) -> BTreeSet<InstanceId> {
        self.lock().instances.keys().copied().collect()
    }

    /// Where clients of the database go; `None` when the endpoint does not know it.
    pub fn target_of(&self, dbname: &str) -> Option<InstanceId> {
        let model = self.lock();
        let gate = model.gates.get(dbname)?;
        Some(gate.target.instance)
    }

    pub fn observe(&self, instance: InstanceId) -> Observation {
        self.lock().observe(instance)
    }

    /// Makes one call on the model, or what the planned fault leaves of it.
    async fn make<T, E: Answerable>(
        &self,
        changes: bool,
        act: impl FnOnce(&mut Model, Doing<E>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (answer, hangs) = {
            let mut model = self.lock();
            let fault = model.faults.next(changes);
            model.time_passes();
            let answer = match fault {
                None => act(&mut model, Doing::Really),
                Some(Fault::Refused) => act(&mut model, Doing::Not(E::refused())),
                Some(Fault::Failed) => act(&mut model, Doing::Not(E::failed())),
                Some(Fault::FailedAfter) => act(&mut model, Doing::ButSaying(E::failed())),
                Some(Fault::RequestLost | Fault::HangBefore) => Err(E::unknown()),
                Some(Fault::AnswerLost | Fault::HangAfter) => {
                    let _ = act(&mut model, Doing::Really);
                    Err(E::unknown())
                }
            };
            model.look();
            let hangs = matches!(fault, Some(Fault::HangBefore | Fault::HangAfter));
            (answer, hangs)
        };
        if hangs {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
        answer
    }
}
