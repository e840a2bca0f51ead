//! A real switch: the primary goes away for good, its standby is promoted, clients go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;
use upkeep_domain::hold::{GateState, ReleaseOnto};
use upkeep_domain::ports::{Traffic, TrafficError};

use crate::postgres::Server;
use crate::world::{DBNAME, FENCE, World, connect, wait_until};

const WRITERS: i64 = 5;

/// One client that writes in transactions and on its own, and checks what it is.
async fn write(mut client: Client, n: i64, stop: Arc<AtomicBool>) -> i64 {
    client
        .batch_execute(&format!("SET app.writer = '{n}'"))
        .await
        .unwrap();
    let insert = client
        .prepare("INSERT INTO t VALUES ($1, current_setting('app.writer'))")
        .await
        .unwrap();
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        client.execute(&insert, &[&n]).await.unwrap();
        let transaction = client.transaction().await.unwrap();
        transaction.execute(&insert, &[&n]).await.unwrap();
        transaction.commit().await.unwrap();
        written += 2;
    }
    written
}

/// Everything on the primary has been replayed.
async fn caught_up(primary: &Client, standby: &Client) {
    let lsn: String = primary
        .query_one("SELECT pg_current_wal_flush_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    let sql = format!("SELECT pg_last_wal_replay_lsn() >= '{lsn}'");
    wait_until(
        "the standby has everything",
        Duration::from_secs(10),
        async || standby.query_one(&sql, &[]).await.unwrap().get(0),
    )
    .await;
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Frozen,
    Killed,
    Stopped,
}

async fn switch(prepared: bool, end: End) {
    let mut world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE t (n bigint, writer text)")
        .await
        .unwrap();
    let standby = Server::standby(&world.primary).await;
    let target = standby.target().await;
    let mut listener = world.raw().await;
    listener.rows("LISTEN news").await;

    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for n in 0..WRITERS {
        load.spawn(write(world.connect().await, n, Arc::clone(&stop)));
    }
    wait_until("everybody writes", Duration::from_secs(5), async || {
        world.status().await.writes > 50
    })
    .await;
    if prepared {
        let ready = world.prepare(&target).await;
        assert_eq!(
            (ready.sessions, ready.spares),
            (WRITERS as u32 + 2, WRITERS as u32 + 2)
        );
    }

    let (old, new) = (
        world.primary.admin(DBNAME).await,
        standby.admin(DBNAME).await,
    );
    assert_eq!(world.hold_all().await, WRITERS as u32 + 2);
    caught_up(&old, &new).await;
    world.endpoint.seal(DBNAME, FENCE).await.unwrap();
    match end {
        End::Frozen => world.primary.freeze(),
        End::Killed => world.primary.kill(),
        End::Stopped => world.primary.stop(),
    }
    // Nobody has asked for this role yet, and the old server can say nothing any more.
    let newcomer = tokio::spawn(connect(world.address, "zoe", "secret", DBNAME));
    wait_until("the newcomer waits", Duration::from_secs(8), async || {
        world.status().await.waiting == 1
    })
    .await;
    // A standby is not the primary yet: everybody waits on.
    let onto = ReleaseOnto::Replacement {
        target: target.clone(),
    };
    let early = world.endpoint.release(DBNAME, FENCE, &onto).await;
    assert!(
        matches!(&early, Err(TrafficError::Failed { sentence }) if sentence.contains("standby")),
        "{early:?}"
    );
    assert_eq!(world.status().await.gate, GateState::Sealed);
    new.query_one("SELECT pg_promote(false)", &[])
        .await
        .unwrap();
    wait_until("it takes writes", Duration::from_secs(10), async || {
        !new.query_one("SELECT pg_is_in_recovery()", &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
    })
    .await;
    let released = Instant::now();
    world.release_onto(&target).await;
    let answered = released.elapsed();
    client
        .batch_execute("INSERT INTO t VALUES (99, 'first')")
        .await
        .unwrap();
    println!(
        "{end:?}, prepared {prepared}: release answered after {answered:?}, first statement done after {:?}",
        released.elapsed()
    );

    client
        .batch_execute("NOTIFY news, 'on the new one'")
        .await
        .unwrap();
    assert_eq!(listener.next().await.tag, b'A');
    newcomer
        .await
        .unwrap()
        .unwrap()
        .query_one("SELECT 1", &[])
        .await
        .unwrap();
    let before = world.status().await.writes;
    wait_until("everybody writes on", Duration::from_secs(5), async || {
        world.status().await.writes > before + 50
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    let written: i64 = load.join_all().await.into_iter().sum();
    let sql = "SELECT count(*) FROM t WHERE writer = n::text";
    let there: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(there, written, "every acknowledged write is there, once");
    let mut felt = None;
    wait_until("the answer", Duration::from_secs(7), async || {
        felt = world.endpoint.felt(DBNAME).await.unwrap();
        felt.is_some()
    })
    .await;
    let felt = felt.unwrap();
    println!("{end:?}, prepared {prepared}: {felt:?}");
    assert_eq!(
        (felt.sessions_moved, felt.statements_failed),
        (WRITERS as u32 + 2, 0)
    );
    assert!(felt.sessions_closed.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_on_on_the_promoted_standby_while_the_old_primary_is_frozen() {
    switch(true, End::Frozen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_on_when_the_old_primary_dies_under_the_hold() {
    switch(true, End::Killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_go_on_after_a_clean_stop_without_a_preparation() {
    switch(false, End::Stopped).await;
}
