//! Databases with high availability: their standby is there, comes again, and takes over.

use std::sync::Arc;

use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::ProcessState;
use upkeep_engine::Unwatched;
use upkeep_engine::request::RunMaintenance;
use upkeep_testkit::sim::{Fault, Place, Sim};

use crate::case::{provisioned, run};
use crate::stage::{Ended, PATIENCE, Stage, engine, maintenance_of, server, wait_until};
use crate::watch::Watch;

const RELEASES: [&str; 3] = ["15.18-a", "15.19-c", "15.20-b"];

/// A database with high availability, and an engine that sweeps.
struct Available {
    stage: Stage,
    sim: Arc<Sim>,
    engine: upkeep_engine::Engine,
    database: upkeep_store::Database,
    running: tokio::task::JoinHandle<()>,
    _server: upkeep_testkit::postgres::ThrowAway,
}

impl Available {
    async fn fail_over(&self, release: &str) -> Ended {
        let database = self.stage.database(self.database.id).await;
        let request = RunMaintenance {
            method: Some("failover".to_owned()),
            release: Some(release.to_owned()),
            ..maintenance_of(database.expect("it is there"))
        };
        let begun = self.engine.run_maintenance(request).await;
        begun.expect("nothing stands in the way");
        self.stage.end(self.database.id, PATIENCE).await
    }

    async fn primary(&self) -> Option<InstanceId> {
        let database = self.stage.database(self.database.id).await;
        database.expect("it is there").primary_instance
    }

    async fn with_a_standby() -> (Self, InstanceId) {
        let server = server().await;
        let stage = Stage::new(&server, "stage").await;
        let sim = Arc::new(Sim::new(&RELEASES));
        let database = provisioned(&stage, &sim).await;
        stage.set_plan(database.id, "premium-0").await;
        let engine = engine(&stage.store, &sim, Arc::new(Unwatched), "server");
        let running = run(&engine);
        let database = stage.database(database.id).await.expect("it is there");
        let available = Self {
            stage,
            sim,
            engine,
            database,
            running,
            _server: server,
        };
        let standby = available.standby_of_the_primary().await;
        (available, standby)
    }

    /// Waits until there is one standby, and it follows the primary that there is.
    async fn standby_of_the_primary(&self) -> InstanceId {
        let mut standby = None;
        wait_until("there is a standby of the primary", async || {
            let database = self.stage.database(self.database.id).await;
            let primary = database.expect("it is there").primary_instance;
            let all = self.stage.store.standbys(self.database.id).await;
            let mut all = all.expect("the store answers").into_iter();
            standby = all
                .next()
                .filter(|(standby, _)| standby.follows == primary)
                .map(|(standby, _)| standby.id);
            all.next().is_none() && standby.is_some()
        })
        .await;
        assert_eq!(
            self.stage.end(self.database.id, PATIENCE).await,
            Ended::Succeeded
        );
        standby.expect("it was waited for")
    }
}

impl Drop for Available {
    fn drop(&mut self) {
        self.running.abort();
    }
}

#[tokio::test]
async fn a_database_with_high_availability_gets_a_standby_again_whenever_it_is_lost() {
    let (available, standby) = Available::with_a_standby().await;
    assert_eq!(available.sim.unsettled(), [] as [&str; 0]);
    available.sim.vanish(standby);
    wait_until("the lost one is forgotten", async || {
        let row = available.stage.store.instance(standby).await;
        row.expect("the store answers").is_none()
    })
    .await;
    let next = available.standby_of_the_primary().await;
    assert_ne!(next, standby);
    assert_eq!(available.sim.unsettled(), [] as [&str; 0]);
    assert_eq!(available.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_restart_brings_the_standby_onto_the_release_first() {
    let (available, standby) = Available::with_a_standby().await;
    let request = RunMaintenance {
        method: Some("restart".to_owned()),
        release: Some("15.20".to_owned()),
        ..maintenance_of(available.database.clone())
    };
    let begun = available.engine.run_maintenance(request).await;
    begun.expect("nothing stands in the way");
    let ended = available.stage.end(available.database.id, PATIENCE).await;
    assert_eq!(ended, Ended::Succeeded);
    let row = available.stage.store.instance(standby).await;
    let row = row.expect("the store answers").expect("it is there");
    assert_eq!(row.release, "15.20-b");
    assert_eq!(available.standby_of_the_primary().await, standby);
    assert_eq!(available.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_standby_that_died_is_started_again() {
    let (available, standby) = Available::with_a_standby().await;
    available.sim.crash(standby);
    wait_until("the standby runs again", async || {
        available.sim.observe(standby).process == ProcessState::Running
    })
    .await;
    assert_eq!(available.standby_of_the_primary().await, standby);
}

#[tokio::test]
async fn after_a_changeover_a_standby_follows_the_new_primary() {
    let (available, standby) = Available::with_a_standby().await;
    let (stage, database) = (&available.stage, &available.database);
    let request = RunMaintenance {
        method: Some("changeover".to_owned()),
        ..maintenance_of(database.clone())
    };
    let begun = available.engine.run_maintenance(request);
    begun.await.expect("nothing stands in the way");
    wait_until("there is another primary", async || {
        let now = stage.database(database.id).await.expect("it is there");
        now.primary_instance != database.primary_instance
    })
    .await;
    let next = available.standby_of_the_primary().await;
    assert_ne!(next, standby);
    assert_eq!(available.sim.unsettled(), [] as [&str; 0]);
    let destroyed = available.engine.destroy_database(database).await;
    destroyed.expect("nothing stands in the way");
    wait_until("nothing is left", async || {
        available.sim.instances().is_empty()
    })
    .await;
    assert_eq!(available.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_standby_that_cannot_be_built_is_not_tried_again_at_once() {
    let server = server().await;
    let stage = Stage::new(&server, "stage").await;
    let sim = Arc::new(Sim::new(&RELEASES));
    let database = provisioned(&stage, &sim).await;
    stage.set_plan(database.id, "premium-0").await;
    let place = Place {
        procedure: "standby",
        step: "base_backup",
        call: 1,
    };
    sim.inject_for_ever(place, Fault::Refused);
    let running = run(&engine(
        &stage.store,
        &sim,
        Watch::new(&sim, None),
        "server",
    ));
    wait_until("the first try was undone", async || {
        let failures = stage.store.failures(database.id, "standby").await;
        failures.expect("the store answers").0 == 1
    })
    .await;
    let primary = database.primary_instance.expect("it has one");
    let looked_at = async || {
        let row = stage.store.instance(primary).await;
        row.expect("the store answers")
            .expect("it is there")
            .observed_at
    };
    let before = looked_at().await;
    wait_until("there were more sweeps", async || {
        looked_at().await > before
    })
    .await;
    let before = looked_at().await;
    wait_until("there were more sweeps", async || {
        looked_at().await > before
    })
    .await;
    let failures = stage.store.failures(database.id, "standby").await;
    assert_eq!(failures.expect("the store answers").0, 1);
    assert_eq!(sim.unsettled(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test]
async fn primary_and_standby_change_places_from_release_to_release() {
    let (available, standby) = Available::with_a_standby().await;
    let primary = available.primary().await.expect("it has one");
    for (release, now_primary, now_standby) in
        [("15.19", standby, primary), ("15.20", primary, standby)]
    {
        assert_eq!(available.fail_over(release).await, Ended::Succeeded);
        assert_eq!(available.primary().await, Some(now_primary));
        assert_eq!(available.standby_of_the_primary().await, now_standby);
        assert_eq!(available.sim.unsettled(), [] as [&str; 0]);
    }
    let in_use = available.stage.store.releases_in_use().await;
    assert_eq!(in_use.expect("the store answers"), ["15.20-b"]);
    assert!(available.sim.acknowledged() > 0);
    assert_eq!(available.sim.violations(), [] as [&str; 0]);
}

/// F74: a release on which the standby does not stay up gets no clients.
#[tokio::test]
async fn a_standby_that_restarts_itself_while_it_is_watched_gets_no_clients() {
    let (available, standby) = Available::with_a_standby().await;
    let primary = available.primary().await;
    let database = &available.database;
    let restarting = async {
        wait_until("the standby is watched", async || {
            let last = available.stage.store.last_event(database.id).await;
            let last = last.expect("the store answers").expect("there was one");
            last.step == "soak" && last.kind == "waiting"
        })
        .await;
        available.sim.restart_itself(standby);
    };
    let (ended, ()) = tokio::join!(available.fail_over("15.20"), restarting);
    assert_eq!(ended, Ended::RolledBack);
    let newest = available.stage.store.maintenances(database.id, 1).await;
    let newest = newest.expect("the store answers").remove(0);
    let because = newest.sentence.expect("it says why");
    assert!(because.contains("restarted itself"), "{because}");
    assert_eq!(available.primary().await, primary);
    let row = available.stage.store.instance(standby).await;
    let row = row.expect("the store answers").expect("it is where it was");
    assert_eq!(row.release, "15.20-b");
    assert_eq!(available.sim.unsettled(), [] as [&str; 0]);
    assert_eq!(available.sim.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_standby_that_is_not_ready_is_not_failed_over_to() {
    let (available, standby) = Available::with_a_standby().await;
    available.running.abort();
    available.sim.crash(standby);
    let request = RunMaintenance {
        method: Some("failover".to_owned()),
        ..maintenance_of(available.database.clone())
    };
    let refused = available.engine.run_maintenance(request).await;
    let refused = refused.expect_err("its standby does not run");
    assert_eq!(refused.kind, upkeep_domain::refusal::RefusalKind::NotReady);
}
