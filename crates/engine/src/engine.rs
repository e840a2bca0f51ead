//! The engine: claims workflows and sweeps, for as long as the server runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_store::Store;

use crate::workflow::drive;
use crate::{SweepError, World, sweep};

/// A claim ends by itself that long after its last renewal.
pub(crate) const LEASE: Duration = Duration::from_secs(5);
/// Longest time until work that another server left is noticed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const SWEEP_EVERY: Duration = Duration::from_secs(2);
const FORGET_EVERY: Duration = Duration::from_secs(3_600);
/// Workflows that one server runs at a time; the rest wait their turn.
pub(crate) const RUNNING_MAX: usize = 64;

/// A handle on the engine; cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Arc<Store>,
    pub(crate) world: Arc<World>,
    owner: Arc<str>,
    wake: Arc<Notify>,
    plan_now: Arc<Notify>,
}

impl Engine {
    /// `owner` names this server: unique among servers, and the same when it is started again.
    pub fn new(store: Arc<Store>, world: Arc<World>, owner: &str) -> Self {
        Self {
            store,
            world,
            owner: owner.into(),
            wake: Arc::new(Notify::new()),
            plan_now: Arc::new(Notify::new()),
        }
    }

    /// Looks for work now: something was begun.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Looks now for what has to be maintained: a person wants something.
    pub(crate) fn plan_now(&self) {
        self.plan_now.notify_one();
    }

    /// One look over the whole fleet for what has to be maintained: it is planned, and begun by nobody.
    ///
    /// # Errors
    /// Of the first database that could not be planned; the others were.
    pub async fn plan_all(&self) -> Result<(), SweepError> {
        Box::pin(sweep::required(self)).await
    }

    /// Runs until the future is dropped. What it was doing is claimed again by whoever runs next.
    ///
    /// The caller holds this owner's lock: what a former process had claimed is taken back at once.
    pub async fn run(&self) {
        while let Err(error) = self.store.take_back(&self.owner).await {
            tracing::warn!(error = %ErrorChain(&error), "cannot take workflows back; trying on");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::join!(
            self.run_workflows(),
            self.run_sweeps(),
            self.run_planning(),
            self.run_notices(),
            self.run_retention()
        );
    }

    async fn run_workflows(&self) {
        let mut running = JoinSet::new();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = self.wake.notified() => {}
                Some(_) = running.join_next() => {}
            }
            while running.len() < RUNNING_MAX {
                match self.store.claim(&self.owner, LEASE).await {
                    Ok(Some(claim)) => {
                        let (world, store) = (Arc::clone(&self.world), Arc::clone(&self.store));
                        running.spawn(async move { drive(&world, &store, claim).await });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(error = %ErrorChain(&error), "cannot look for work");
                        break;
                    }
                }
            }
        }
    }

    async fn run_sweeps(&self) {
        let mut due = interval(SWEEP_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            for (name, result) in [
                ("observe", sweep::observe(&self.world, &self.store).await),
                ("standbys", sweep::standbys(self).await),
                ("routes", sweep::routes(&self.world, &self.store).await),
                ("retire", sweep::retire(&self.world, &self.store).await),
            ] {
                warn_of(name, result);
            }
        }
    }

    async fn run_planning(&self) {
        let mut due = interval(self.world.plan_every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // At once nothing is observed yet.
        due.reset();
        loop {
            tokio::select! {
                _ = due.tick() => {}
                () = self.plan_now.notified() => {}
            }
            // Boxed, because whole requests are in them and would be in every future around them.
            warn_of("required", self.plan_all().await);
            warn_of("windows", Box::pin(sweep::windows(self)).await);
            warn_of("reminders", sweep::reminders(&self.store).await);
        }
    }

    /// Nothing else waits for mail, and no letter that is written for one that is still to be written.
    async fn run_notices(&self) {
        tokio::join!(
            again_and_again("address", SWEEP_EVERY, || Box::pin(sweep::address(self))),
            again_and_again("deliver", SWEEP_EVERY, || {
                sweep::deliver(&self.world, &self.store)
            })
        );
    }

    async fn run_retention(&self) {
        again_and_again("retention", FORGET_EVERY, || sweep::retention(&self.store)).await;
    }
}

async fn again_and_again<F: Future<Output = Result<(), SweepError>>>(
    name: &str,
    period: Duration,
    sweep: impl Fn() -> F,
) {
    let mut due = interval(period);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        warn_of(name, sweep().await);
    }
}

fn warn_of(name: &str, result: Result<(), SweepError>) {
    if let Err(error) = result {
        tracing::warn!(sweep = name, error = %ErrorChain(&error), "a sweep did not come through");
    }
}
