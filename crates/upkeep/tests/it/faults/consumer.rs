//! A consumer of a logical slot that does not listen: a server that shuts down waits for it, clients do not.

use std::time::Duration;

use crate::direct::{ask, superuser};
use crate::outsider::Outsider;
use crate::wait::wait_until;
use crate::world::{World, clean_stop, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(30);
const READS: &str = "SELECT (count(*) FILTER (WHERE active))::text FROM pg_replication_slots";

/// It reads, and then does not listen any more.
async fn consumer(world: &World) -> Outsider {
    let read = ["-S", "cdc", "--start", "-f", "/dev/null"];
    let consumer = Outsider::start(world, "pg_recvlogical", world.dbname(), &read).await;
    wait_until("it reads", SOON, async || ask(world, READS).await == "1").await;
    consumer.stand_still();
    consumer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_consumer_that_does_not_listen_is_named_and_not_waited_for() {
    let world = World::with(clean_stop()).await;
    superuser(&world, "ALTER SYSTEM SET wal_level = logical").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    superuser(
        &world,
        "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')",
    )
    .await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let changeover = [
        "--method",
        "changeover",
        "--release",
        other(&from),
        "--waive",
        "logical_slots",
        "--because",
        "it is made anew afterwards",
    ];

    let deaf = consumer(&world).await;
    let ending = world.ending(world.begin_as(&changeover)).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.contains("walsender"), "{ending:?}");
    assert_eq!(world.release().await, from);
    load::unharmed(&load, "a stop that took too long");

    drop(deaf);
    let deaf = consumer(&world).await;
    let ending = world.restart().await;
    assert_eq!(
        ending.outcome, "succeeded",
        "a restart does not need it: {ending:?}"
    );
    drop(deaf);

    let ending = world.ending(world.begin_as(&changeover)).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}
