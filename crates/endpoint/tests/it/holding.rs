//! Holds that end where they began: nobody notices more than a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::NoTls;
use upkeep_domain::hold::{GateState, HoldLimits, HoldReply, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_wire::message::{ErrorFields, frontend};

use crate::raw::tags;
use crate::world::{DBNAME, FENCE, World, wait_until};

fn quick(drain_ms: u64, lease_ms: u64, hard_ms: u64) -> HoldLimits {
    HoldLimits {
        drain_ms,
        lease_ms,
        hard_ms,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_under_load_see_no_error_when_held_and_released_on_the_same_server() {
    let world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE t (n bigint)")
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = JoinSet::new();
    for n in 0..6i64 {
        let (mut client, stop) = (world.connect().await, Arc::clone(&stop));
        load.spawn(async move {
            let mut written = 0;
            while !stop.load(Ordering::Relaxed) {
                let transaction = client.transaction().await.unwrap();
                transaction
                    .execute("INSERT INTO t VALUES ($1)", &[&n])
                    .await
                    .unwrap();
                transaction
                    .query("SELECT count(*) FROM t WHERE n = $1", &[&n])
                    .await
                    .unwrap();
                transaction.commit().await.unwrap();
                written += 1;
            }
            written
        });
    }
    for _ in 0..10 {
        assert_eq!(world.hold_all().await, 7);
        let before: i64 = world
            .primary
            .admin(DBNAME)
            .await
            .query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get(0);
        let after: i64 = world
            .primary
            .admin(DBNAME)
            .await
            .query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get(0);
        assert_eq!(before, after, "nobody writes while held");
        world.release_same().await;
        let before = world.status().await.writes;
        wait_until("everybody goes on", Duration::from_secs(5), async || {
            world.status().await.writes > before + 6
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    let written: i64 = load.join_all().await.into_iter().sum();
    let there: i64 = client
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(there, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_does_not_end_is_named_and_everybody_goes_on() {
    let world = World::new().await;
    let (idle, mut busy) = (world.connect().await, world.connect().await);
    let transaction = busy.transaction().await.unwrap();
    // Kept to the end: dropping it would say something more to the server during the hold.
    let who = transaction
        .prepare("SELECT pg_backend_pid()")
        .await
        .unwrap();
    let pid: i32 = transaction.query_one(&who, &[]).await.unwrap().get(0);
    let limits = quick(300, 3000, 3000);
    let began = Instant::now();
    let reply = world.endpoint.hold(DBNAME, FENCE, &limits).await.unwrap();
    let HoldReply::Blocked { blockers } = reply else {
        panic!("held over an open transaction")
    };
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "the drain deadline is 300 ms"
    );
    assert_eq!(blockers.len(), 1);
    assert_eq!(blockers[0].backend_pid, pid.cast_unsigned());
    assert_eq!(blockers[0].role, "ann");
    assert_eq!(blockers[0].application_name, "test");
    assert_eq!(blockers[0].state, "in a transaction");
    assert!(blockers[0].busy_ms >= 300);
    idle.query_one("SELECT 1", &[]).await.unwrap();
    transaction.query_one("SELECT 1", &[]).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(world.status().await.gate, GateState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_ends_during_the_drain_and_its_session_is_held_then() {
    let world = World::new().await;
    let mut client = world.raw().await;
    client.rows("BEGIN").await;
    let holding = tokio::spawn({
        let endpoint = world.endpoint.clone();
        async move {
            endpoint
                .hold(DBNAME, FENCE, &HoldLimits::default())
                .await
                .unwrap()
        }
    });
    wait_until("the gate closes", Duration::from_secs(2), async || {
        world.status().await.gate == GateState::Holding
    })
    .await;
    client.rows("SELECT 1").await;
    // The commit is answered, and what was sent along with it waits.
    let mut pipeline = Vec::new();
    frontend::query(&mut pipeline, "COMMIT");
    frontend::query(&mut pipeline, "SELECT 2");
    client.send(&pipeline).await;
    assert_eq!(tags(&client.until_ready().await), "CZ");
    assert!(matches!(
        holding.await.unwrap(),
        HoldReply::Held { sessions: 1, .. }
    ));
    world.release_same().await;
    assert_eq!(tags(&client.until_ready().await), "TDCZ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_nobody_renews_ends_by_itself_and_a_renewed_one_does_not() {
    let world = World::new().await;
    let client = world.connect().await;
    let limits = quick(300, 400, 3000);
    let began = Instant::now();
    world.endpoint.hold(DBNAME, FENCE, &limits).await.unwrap();
    // Renewed for longer than any of the leases lasts.
    wait_until("800 ms have passed", Duration::from_secs(2), async || {
        let renewed = world.endpoint.renew(DBNAME, FENCE).await;
        assert_eq!(renewed, Ok(GateState::Held));
        began.elapsed() >= Duration::from_millis(800)
    })
    .await;
    client.query_one("SELECT 1", &[]).await.unwrap();
    let held = began.elapsed();
    assert!(
        held > Duration::from_millis(1100) && held < Duration::from_millis(2000),
        "{held:?}"
    );
    let lost = TrafficError::NotHeld {
        dbname: DBNAME.to_owned(),
    };
    assert_eq!(world.endpoint.renew(DBNAME, FENCE).await, Err(lost.clone()));
    assert_eq!(world.endpoint.seal(DBNAME, FENCE).await, Err(lost));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_hold_ends_only_at_its_hard_limit_and_clients_are_told_to_reconnect() {
    let world = World::new().await;
    let mut client = world.raw().await;
    world
        .endpoint
        .hold(DBNAME, FENCE, &quick(300, 200, 700))
        .await
        .unwrap();
    world.endpoint.seal(DBNAME, FENCE).await.unwrap();
    let newcomer = tokio::spawn({
        let (address, secret) = (world.address, "secret");
        async move { crate::world::connect(address, "ann", secret, DBNAME).await }
    });
    wait_until("the newcomer waits", Duration::from_secs(1), async || {
        world.status().await.waiting == 1
    })
    .await;
    assert_eq!(world.status().await.gate, GateState::Sealed);
    let farewell = client.next().await;
    assert_eq!(ErrorFields::read(&farewell.payload).unwrap().code, "57P01");
    assert!(client.try_next().await.is_none());
    let Err(refused) = newcomer.await.unwrap() else {
        panic!("let in")
    };
    assert_eq!(refused.code().unwrap().code(), "57P03");
    world.release_same().await;
    world
        .connect()
        .await
        .query_one("SELECT 1", &[])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_client_waits_for_the_release_and_a_held_one_that_leaves_is_forgotten() {
    let world = World::new().await;
    let leaving = world.connect().await;
    world.hold_all().await;
    let newcomer = tokio::spawn(crate::world::connect(
        world.address,
        "ann",
        "secret",
        DBNAME,
    ));
    wait_until("it waits", Duration::from_secs(2), async || {
        world.status().await.waiting == 1
    })
    .await;
    drop(leaving);
    wait_until("it is forgotten", Duration::from_secs(2), async || {
        world.status().await.sessions == 0
    })
    .await;
    world.release_same().await;
    newcomer
        .await
        .unwrap()
        .unwrap()
        .query_one("SELECT 1", &[])
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_waits_in_a_hold_can_be_cancelled() {
    let world = World::new().await;
    let client = world.connect().await;
    let token = client.cancel_token();
    world.hold_all().await;
    let waiting = tokio::spawn(async move {
        let outcome = client.batch_execute("SELECT 1").await;
        (client, outcome)
    });
    let answered = AtomicU32::new(0);
    wait_until(
        "the cancel is answered",
        Duration::from_secs(2),
        async || {
            token.cancel_query(NoTls).await.unwrap();
            answered.fetch_add(1, Ordering::Relaxed);
            waiting.is_finished()
        },
    )
    .await;
    let (client, outcome) = waiting.await.unwrap();
    assert_eq!(outcome.unwrap_err().code().unwrap().code(), "57014");
    world.release_same().await;
    client.query_one("SELECT 1", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_fence_is_refused_and_release_twice_is_once() {
    let world = World::new().await;
    let target = world.primary.target().await;
    let stale = TrafficError::Stale {
        sent: Fence(6),
        seen: FENCE,
    };
    let endpoint = &world.endpoint;
    assert_eq!(world.route(&target, Fence(6)).await, Err(stale.clone()));
    let held = endpoint
        .hold(DBNAME, Fence(6), &HoldLimits::default())
        .await;
    assert_eq!(held, Err(stale.clone()));
    assert_eq!(endpoint.forget(DBNAME, Fence(6)).await, Err(stale));
    world.hold_all().await;
    endpoint.seal(DBNAME, Fence(8)).await.unwrap();
    let stale = TrafficError::Stale {
        sent: FENCE,
        seen: Fence(8),
    };
    let onto = ReleaseOnto::Replacement {
        target: target.clone(),
    };
    assert_eq!(endpoint.release(DBNAME, FENCE, &onto).await, Err(stale));
    endpoint.release(DBNAME, Fence(8), &onto).await.unwrap();
    endpoint.release(DBNAME, Fence(8), &onto).await.unwrap();
    let unknown = TrafficError::UnknownDatabase {
        dbname: "other".to_owned(),
    };
    assert_eq!(endpoint.renew("other", FENCE).await, Err(unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_between_writes_is_felt_as_long_as_the_hold() {
    let world = World::new().await;
    let client = world.connect().await;
    client
        .batch_execute("CREATE TABLE t (n int)")
        .await
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let stop = Arc::clone(&stop);
        async move {
            while !stop.load(Ordering::Relaxed) {
                client
                    .execute("INSERT INTO t VALUES (1)", &[])
                    .await
                    .unwrap();
            }
        }
    });
    wait_until("writes are seen", Duration::from_secs(2), async || {
        world.status().await.writes > 50
    })
    .await;
    world.hold_all().await;
    wait_until("it lasts 200 ms", Duration::from_secs(2), async || {
        world.status().await.held_ms >= Some(200)
    })
    .await;
    world.release_same().await;
    assert_eq!(
        world.endpoint.felt(DBNAME).await,
        Ok(None),
        "more is to be seen"
    );
    let mut felt = None;
    wait_until(
        "the answer is complete",
        Duration::from_secs(3),
        async || {
            felt = world.endpoint.felt(DBNAME).await.unwrap();
            felt.is_some()
        },
    )
    .await;
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    let felt = felt.unwrap();
    let gap = felt.longest_write_gap_ms.unwrap();
    assert!(
        felt.held_ms >= 200.0 && gap >= 200.0 && gap < felt.held_ms + 100.0,
        "{felt:?}"
    );
    assert_eq!((felt.sessions_held, felt.statements_failed), (1, 0));
}
