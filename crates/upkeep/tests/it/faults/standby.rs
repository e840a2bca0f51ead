//! The hidden standby of a database with high availability, on real servers.

use std::fs;
use std::time::Duration;

use upkeep_testkit::up::RunningInstance;

use crate::wait::wait_until;
use crate::world::{APP, World, connect, other};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_premium_database_has_a_standby_again_whenever_it_is_lost_or_its_primary_is_another() {
    let world = World::with_a_standby().await;
    let first = world.standby().await;
    streams_alone(&world, &first).await;

    world.up.crash_instance(first.pid).unwrap();
    fs::remove_dir_all(&first.data_dir).unwrap();
    let second = another(&world, &first).await;
    streams_alone(&world, &second).await;

    let (primary, from) = (world.primary().await.unwrap(), world.release().await);
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_ne!(world.primary().await.unwrap().data_dir, primary.data_dir);
    assert_eq!(world.release().await, other(&from));
    let third = another(&world, &second).await;
    streams_alone(&world, &third).await;

    let destroy = [
        "addons:destroy",
        &world.database,
        "-a",
        APP,
        "--confirm",
        APP,
    ];
    world.up.run(&destroy).await.unwrap();
    wait_until("nothing of it is left", SOON, async || {
        world.instances().is_empty() && world.books().await.roles().await.is_empty()
    })
    .await;
}

async fn another(world: &World, before: &RunningInstance) -> RunningInstance {
    let mut standby = world.standby().await;
    wait_until("another standby", SOON, async || {
        standby = world.standby().await;
        standby.data_dir != before.data_dir
    })
    .await;
    standby
}

/// It follows the primary through a slot of its own, and nobody else does.
async fn streams_alone(world: &World, standby: &RunningInstance) {
    let primary = connect(&world.direct(&world.primary().await.unwrap())).await;
    let primary = primary.unwrap();
    let sql = "SELECT (SELECT count(*) FROM pg_replication_slots WHERE active AND slot_type = 'physical'),
               (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication)";
    wait_until("one slot, and it is used", SOON, async || {
        let row = primary.query_one(sql, &[]).await.unwrap();
        let seen: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        seen == (1, 1, 1)
    })
    .await;
    primary
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS said (at timestamptz); INSERT INTO said VALUES (now())",
        )
        .await
        .unwrap();
    let standby = connect(&world.direct(standby)).await.unwrap();
    wait_until("what the primary says is heard", SOON, async || {
        let sql = "SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM said WHERE at > now() - interval '1 minute')";
        let row = standby.query_one(sql, &[]).await;
        row.is_ok_and(|row| row.get(0))
    })
    .await;
}
