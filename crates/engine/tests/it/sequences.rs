//! One piece of work after another on the same database: each leaves it fit for the next.

use std::sync::Arc;

use upkeep_domain::procedure::{changeover, provision};
use upkeep_engine::request::RunMaintenance;
use upkeep_store::DatabaseState;
use upkeep_testkit::sim::{Fault, Place, Sim};

use crate::case::{provisioned, run};
use crate::stage::{
    Ended, FIRST, PATIENCE, RELEASES, Stage, create_database, engine, maintenance_of, server,
};
use crate::table::Table;
use crate::watch::Watch;

fn turning_point(table: &Table) -> Place {
    Place {
        procedure: table.procedure,
        step: table.turning_point.expect("it can be undone"),
        call: 0,
    }
}

#[tokio::test]
async fn a_database_goes_from_release_to_release_and_then_goes_away() {
    let server = server().await;
    let stage = Stage::new(&server, "stage").await;
    let sim = Arc::new(Sim::new(&[FIRST, "15.19-c", "15.20-b"]));
    let id = provisioned(&stage, &sim).await.id;
    let engine = engine(&stage.store, &sim, Watch::new(&sim, None), "server");
    let running = run(&engine);
    // The first try is turned back at the last moment.
    sim.inject(
        turning_point(&Table::of::<changeover::Step>()),
        Fault::Refused,
    );
    for (release, expected) in [
        ("15.19", Ended::RolledBack),
        ("15.19", Ended::Succeeded),
        ("15.20", Ended::Succeeded),
    ] {
        let database = stage.database(id).await.expect("it is there");
        let request = RunMaintenance {
            release: Some(release.to_owned()),
            ..maintenance_of(database)
        };
        let begun = engine.run_maintenance(request).await;
        begun.expect("nothing stands in the way");
        assert_eq!(
            stage.end(id, PATIENCE).await,
            expected,
            "{:?}",
            sim.violations()
        );
        assert_eq!(sim.unsettled(), [] as [&str; 0]);
    }
    assert!(sim.acknowledged() > 0, "nobody was there to be disturbed");
    let database = stage.database(id).await.expect("it is there");
    let destroyed = engine.destroy_database(&database).await;
    destroyed.expect("nothing stands in the way");
    assert_eq!(stage.end(id, PATIENCE).await, Ended::Succeeded);
    assert!(sim.instances().is_empty(), "the retired ones are gone too");
    assert_eq!(sim.violations(), [] as [&str; 0]);
    running.abort();
}

/// A clean stop proves nothing of what has arrived elsewhere.
#[tokio::test]
async fn a_primary_whose_last_records_did_not_arrive_goes_on() {
    let server = server().await;
    let stage = Stage::new(&server, "stage").await;
    let sim = Arc::new(Sim::new(&RELEASES));
    let database = provisioned(&stage, &sim).await;
    let (id, before) = (database.id, database.primary_instance);
    sim.fence_by_clean_stop();
    sim.cut_off_standbys();
    let engine = engine(&stage.store, &sim, Watch::new(&sim, None), "server");
    let running = run(&engine);
    let begun = engine.run_maintenance(maintenance_of(database)).await;
    begun.expect("nothing stands in the way");
    assert_eq!(stage.end(id, PATIENCE).await, Ended::RolledBack);
    let after = stage.database(id).await.expect("it is there");
    assert_eq!(after.primary_instance, before);
    assert_eq!(sim.violations(), [] as [&str; 0]);
    assert_eq!(sim.unsettled(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test]
async fn a_database_that_could_not_be_made_can_be_destroyed() {
    let server = server().await;
    let stage = Stage::new(&server, "stage").await;
    let sim = Arc::new(Sim::new(&[FIRST]));
    let engine = engine(&stage.store, &sim, Watch::new(&sim, None), "server");
    sim.inject(
        turning_point(&Table::of::<provision::Step>()),
        Fault::Refused,
    );
    let made = create_database(&engine).await;
    let running = run(&engine);
    assert_eq!(stage.end(made.id, PATIENCE).await, Ended::RolledBack);
    let failed = stage
        .database(made.id)
        .await
        .expect("people can see that it failed");
    assert_eq!(failed.state, DatabaseState::Failed);
    let destroyed = engine.destroy_database(&failed).await;
    destroyed.expect("nothing stands in the way");
    assert_eq!(stage.end(made.id, PATIENCE).await, Ended::Succeeded);
    assert!(stage.database(made.id).await.is_none());
    assert_eq!(sim.violations(), [] as [&str; 0]);
    assert!(sim.instances().is_empty());
    running.abort();
}
