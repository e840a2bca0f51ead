//! What lives in a server beside its data: transactions that are only prepared, whoever confirms its commits, and
//! what an archive has not taken.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::direct::{ask, show, superuser};
use crate::outsider::Outsider;
use crate::wait::wait_until;
use crate::world::{World, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_prepared_transactions_go_along_with_their_locks() {
    let world = World::new().await;
    superuser(&world, "ALTER SYSTEM SET max_prepared_transactions = 10").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE kept (id int PRIMARY KEY, what text); INSERT INTO kept VALUES (1, 'before'), (2, 'before'), (3, 'before')")
        .await
        .unwrap();
    for id in 1..=3 {
        let prepare = format!(
            "BEGIN; UPDATE kept SET what = 'after' WHERE id = {id}; PREPARE TRANSACTION 'number {id}'"
        );
        client.batch_execute(&prepare).await.unwrap();
    }
    let load = load::start(&world).await;
    let from = world.release().await;
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;

    let locked = "SELECT FROM kept WHERE id = 1 FOR UPDATE NOWAIT";
    let locked = client.batch_execute(locked).await.unwrap_err();
    assert_eq!(locked.code().map(SqlState::code), Some("55P03"));
    for end in [
        "COMMIT PREPARED 'number 1'",
        "COMMIT PREPARED 'number 2'",
        "ROLLBACK PREPARED 'number 3'",
    ] {
        client.batch_execute(end).await.unwrap();
    }
    let after = "SELECT array_agg(id ORDER BY id) FROM kept WHERE what = 'after'";
    let after: Vec<i32> = client.query_one(after, &[]).await.unwrap().get(0);
    assert_eq!(after, [1, 2]);
    load::promise_held(load).await;
}

/// A copy brings along that commits wait for somebody who does not follow the new primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_nobody_waits_on_the_new_primary_for_a_standby_of_the_old_one() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let receive = ["--synchronous", "-D", into];
    let confirming = Outsider::start(&world, "pg_receivewal", "postgres", &receive).await;
    wait_until("it receives", SOON, async || {
        let streams = "SELECT count(*)::text FROM pg_stat_replication WHERE application_name = 'outsider' AND state = 'streaming'";
        ask(&world, streams).await == "1"
    })
    .await;
    superuser(
        &world,
        "ALTER SYSTEM SET synchronous_standby_names = 'outsider'",
    )
    .await;
    superuser(&world, "SELECT pg_reload_conf()").await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    drop(confirming);
    left::nothing_but_the_primary(&world, other(&from)).await;
    assert_eq!(show(&world, "synchronous_standby_names").await, "");
    load::promise_held(load).await;
}

/// It hangs for longer than anybody is held, and then fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_archive_that_hangs_or_fails_holds_nobody_up() {
    let world = World::new().await;
    superuser(&world, "ALTER SYSTEM SET archive_mode = on").await;
    superuser(&world, "ALTER SYSTEM SET archive_command = 'sleep 40'").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    let load = load::start(&world).await;
    for (command, method) in [
        ("sleep 40", "changeover"),
        ("sleep 40", "restart"),
        ("false", "changeover"),
    ] {
        superuser(
            &world,
            &format!("ALTER SYSTEM SET archive_command = '{command}'"),
        )
        .await;
        superuser(&world, "SELECT pg_reload_conf()").await;
        superuser(&world, "SELECT pg_switch_wal()").await;
        let to = if method == "restart" {
            world.release().await
        } else {
            other(&world.release().await).to_owned()
        };
        let running = world.begin_as(&["--method", method, "--release", &to]);
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{command}: {ending:?}");
        let held = ending.run.felt.expect("the endpoint was there").held_ms;
        assert!(
            held < 5_000.0,
            "{command}, {method}: clients were held for {held} ms"
        );
        left::nothing_but_the_primary(&world, &to).await;
        load::unharmed(&load, command);
    }
    load::promise_held(load).await;
}
