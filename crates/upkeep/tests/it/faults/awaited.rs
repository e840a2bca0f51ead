//! Logical replication that waits for a standby which is gone: PostgreSQL 17 and later.

use std::time::Duration;

use upkeep_testkit::releases_source;

use crate::direct::{ask, superuser};
use crate::load;
use crate::outsider::Outsider;
use crate::wait::wait_until;
use crate::world::{World, clean_stop, other};

const SOON: Duration = Duration::from_secs(30);
const READS: &str = "SELECT (count(*) FILTER (WHERE active))::text FROM pg_replication_slots";

/// F40
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_standby_that_logical_replication_waits_for_in_vain_is_named_and_holds_nobody_up()
{
    let sources = ["17.9", "17.10"].map(|version| {
        releases_source::find(version).expect("`cargo xtask test --faults` brings it")
    });
    let world = World::between_with(&sources, clean_stop()).await;
    superuser(&world, "ALTER SYSTEM SET wal_level = logical").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    for sql in [
        "SELECT pg_create_physical_replication_slot('gone')",
        "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding', false, false, true)",
        "ALTER SYSTEM SET synchronized_standby_slots = 'gone'",
        "SELECT pg_reload_conf()",
    ] {
        superuser(&world, sql).await;
    }
    let load = load::start(&world).await;
    let from = world.release().await;
    let read = ["-S", "cdc", "--start", "-f", "/dev/null"];
    let consumer = Outsider::start(&world, "pg_recvlogical", world.dbname(), &read).await;
    wait_until("it reads", SOON, async || ask(&world, READS).await == "1").await;

    let waits = "SELECT coalesce(max(wait_event), '') FROM pg_stat_activity WHERE backend_type = 'walsender'";
    wait_until("it is kept waiting", SOON, async || {
        ask(&world, waits).await == "WaitForStandbyConfirmation"
    })
    .await;
    let preflight = [
        "data:maintenances:preflight",
        &world.database,
        "--release",
        other(&from),
    ];
    let told = world.up.attempt(&preflight).await.unwrap().stdout;
    assert!(told.contains("slots that nobody uses: gone"), "{told}");

    let run = ["--method", "changeover", "--release", other(&from)];
    let waive = ["--waive", "logical_slots", "--because", "it is made anew"];
    let ending = world.ending(world.begin_as(&[run, waive].concat())).await;
    // The manual says that such a server does not shut down before it is confirmed; 17.9 does.
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(world.release().await, other(&from));
    drop(consumer);
    load::promise_held(load).await;
}
