//! Sweeps: what is wanted comes to be, without anybody asking for it.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::instance::ProcessState;
use upkeep_engine::Unwatched;
use upkeep_store::InstanceRole;
use upkeep_testkit::sim::Sim;

use crate::case::{provisioned, run};
use crate::stage::{
    Ended, KEPT, PATIENCE, RELEASES, Stage, UNHURRIED, engine, engine_with, maintenance_of, server,
    wait_until,
};

/// A database that has gone through a changeover, and an engine that goes on sweeping.
struct Swept {
    stage: Stage,
    sim: Arc<Sim>,
    database: upkeep_store::Database,
    running: tokio::task::JoinHandle<()>,
    // Last: it must outlive whoever is connected to it.
    _server: upkeep_testkit::postgres::ThrowAway,
}

impl Swept {
    async fn after_a_changeover(grace: Duration) -> Self {
        let server = server().await;
        let stage = Stage::new(&server, "stage").await;
        let sim = Arc::new(Sim::new(&RELEASES));
        let database = provisioned(&stage, &sim).await;
        let engine = engine_with(
            &stage.store,
            &sim,
            Arc::new(Unwatched),
            "server",
            UNHURRIED,
            grace,
        );
        let running = run(&engine);
        let request = maintenance_of(database.clone());
        engine
            .run_maintenance(request)
            .await
            .expect("nothing stands in the way");
        assert_eq!(stage.end(database.id, PATIENCE).await, Ended::Succeeded);
        let database = stage
            .database(database.id)
            .await
            .expect("it is still there");
        Self {
            stage,
            sim,
            database,
            running,
            _server: server,
        }
    }

    async fn instance_in(&self, role: InstanceRole) -> Option<upkeep_store::Instance> {
        let all = self.stage.store.instances(self.database.id).await;
        let mut all = all.expect("the store answers").into_iter();
        all.find(|instance| instance.role == role)
    }
}

impl Drop for Swept {
    fn drop(&mut self) {
        self.running.abort();
    }
}

#[tokio::test]
async fn a_primary_that_died_is_started_and_a_retired_one_is_not() {
    let swept = Swept::after_a_changeover(KEPT).await;
    let primary = swept.database.primary_instance.expect("it has one");
    let old = swept
        .instance_in(InstanceRole::Retired)
        .await
        .expect("it is kept");
    swept.sim.crash(primary);
    wait_until("the primary runs again", async || {
        swept.sim.observe(primary).process == ProcessState::Running
    })
    .await;
    wait_until("the old one was looked at again", async || {
        let now = swept
            .instance_in(InstanceRole::Retired)
            .await
            .expect("it is kept");
        now.observed_at > old.observed_at
    })
    .await;
    assert_eq!(swept.sim.observe(old.id).process, ProcessState::Stopped);
    assert_eq!(swept.sim.unsettled(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_retired_instance_is_removed_after_its_grace_period() {
    let swept = Swept::after_a_changeover(Duration::ZERO).await;
    wait_until("only the new primary is left", async || {
        swept.sim.instances().len() == 1 && swept.instance_in(InstanceRole::Retired).await.is_none()
    })
    .await;
    assert!(
        swept
            .sim
            .instances()
            .contains(&swept.database.primary_instance.expect("it has one"))
    );
    let in_use = swept
        .stage
        .store
        .releases_in_use()
        .await
        .expect("the store answers");
    assert_eq!(in_use, ["15.20-b"]);
}

#[tokio::test]
async fn an_endpoint_that_lost_its_routes_is_told_them() {
    let swept = Swept::after_a_changeover(KEPT).await;
    swept.sim.forget_routes();
    let dbname = &swept.database.dbname;
    wait_until("clients have a way again", async || {
        swept.sim.target_of(dbname) == swept.database.primary_instance
    })
    .await;
    assert_eq!(swept.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_database_that_cannot_be_started_does_not_keep_others_from_it() {
    let server = server().await;
    let stage = Stage::new(&server, "stage").await;
    let sim = Arc::new(Sim::new(&RELEASES));
    let broken = provisioned(&stage, &sim).await;
    let whole = provisioned(&stage, &sim).await;
    sim.ruin(broken.primary_instance.expect("it has one"));
    let primary = whole.primary_instance.expect("it has one");
    sim.crash(primary);
    let running = run(&engine(&stage.store, &sim, Arc::new(Unwatched), "server"));
    wait_until("the other one runs again", async || {
        sim.observe(primary).process == ProcessState::Running
    })
    .await;
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_months_ago_is_forgotten_but_for_the_newest_maintenance() {
    let swept = Swept::after_a_changeover(KEPT).await;
    swept.running.abort();
    let months_ago = "UPDATE upkeep.workflows SET ended_at = ended_at - interval '91 days'";
    swept.stage.change(months_ago).await;
    let engine = engine(
        &swept.stage.store,
        &swept.sim,
        Arc::new(Unwatched),
        "server",
    );
    let running = run(&engine);
    // The provisioning was before it.
    wait_until("it is forgotten", async || {
        swept.stage.rows().await.matches("\"procedure\"").count() == 1
    })
    .await;
    running.abort();
    assert!(
        swept
            .stage
            .rows()
            .await
            .contains("\"procedure\": \"changeover\"")
    );
}
