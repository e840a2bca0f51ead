//! Restarts that do not go as asked: what is told of them, and what a person can do.

use std::sync::Arc;

use upkeep_engine::Engine;
use upkeep_engine::request::RunMaintenance;
use upkeep_store::Maintenance;
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::Sim;

use crate::case::{provisioned, run};
use crate::stage::{Ended, FIRST, PATIENCE, Stage, engine, maintenance_of, server};
use crate::watch::Watch;

/// A database, and an engine that runs.
struct Running {
    stage: Stage,
    sim: Arc<Sim>,
    engine: Engine,
    database: upkeep_store::Database,
    task: tokio::task::JoinHandle<()>,
    _server: ThrowAway,
}

impl Running {
    async fn start() -> Self {
        let server = server().await;
        let stage = Stage::new(&server, "stage").await;
        let sim = Arc::new(Sim::new(&[FIRST, "15.20-b"]));
        let database = provisioned(&stage, &sim).await;
        let engine = engine(&stage.store, &sim, Watch::new(&sim, None), "server");
        let task = run(&engine);
        Self {
            stage,
            sim,
            engine,
            database,
            task,
            _server: server,
        }
    }

    fn primary(&self) -> upkeep_domain::id::InstanceId {
        self.database.primary_instance.expect("it has one")
    }

    async fn restart(&self, release: &str) -> Ended {
        let request = RunMaintenance {
            method: Some("restart".to_owned()),
            release: Some(release.to_owned()),
            ..maintenance_of(self.database.clone())
        };
        let begun = self.engine.run_maintenance(request).await;
        begun.expect("nothing stands in the way");
        self.stage.end(self.database.id, PATIENCE).await
    }

    async fn told(&self) -> Maintenance {
        let all = self.stage.store.maintenances(self.database.id, 1).await;
        all.expect("the store answers").remove(0)
    }

    async fn release(&self) -> String {
        let instance = self.stage.store.instance(self.primary()).await;
        instance
            .expect("the store answers")
            .expect("it is there")
            .release
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn what_waited_takes_effect_and_is_told_with_the_release() {
    let world = Running::start().await;
    world.sim.let_wait(world.primary(), "shared_buffers");
    assert_eq!(world.restart("15.20").await, Ended::Succeeded);
    let told = world.told().await;
    assert_eq!(told.settings_applied.len(), 1, "{told:?}");
    assert_eq!(
        (told.sentence, world.release().await.as_str()),
        (None, "15.20-b")
    );
    assert_eq!(world.restart("15.20").await, Ended::Succeeded);
    assert_eq!(
        world.told().await.settings_applied,
        [],
        "nothing waits any more"
    );
    assert_eq!(world.sim.unsettled(), [] as [&str; 0]);
    assert_eq!(world.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_server_that_only_starts_as_before_is_a_success_that_says_so() {
    let world = Running::start().await;
    world.sim.let_wait(world.primary(), "shared_buffers");
    world.sim.refuse_what_is_new(world.primary());
    assert_eq!(world.restart("15.20").await, Ended::Succeeded);
    let told = world.told().await;
    assert_eq!(told.outcome.as_deref(), Some("succeeded"));
    let because = told
        .sentence
        .expect("it says in which way it is not as asked");
    assert!(because.contains("did not start"), "{because}");
    assert_eq!(told.settings_applied, [], "none has taken effect");
    assert_eq!(world.release().await, FIRST, "nor has the release");
    assert_eq!(world.sim.unsettled(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_server_that_does_not_start_at_all_is_stuck_and_goes_on_when_a_person_has_looked() {
    let world = Running::start().await;
    world.sim.damage(world.primary());
    assert_eq!(world.restart(FIRST).await, Ended::Stuck);
    let told = world.told().await;
    let because = told.sentence.expect("it says why");
    assert!(because.contains("does not start"), "{because}");
    world.sim.mend(world.primary());
    assert_eq!(world.restart(FIRST).await, Ended::Succeeded);
    assert_eq!(world.sim.unsettled(), [] as [&str; 0]);
    assert_eq!(world.sim.violations(), [] as [&str; 0]);
}
