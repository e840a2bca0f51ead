//! A failover whose standby does not bear its new release, or whose old primary has gone too far to come back as it is.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_testkit::up::{RunningInstance, programs_in};

use crate::direct::superuser_of;
use crate::wait::{wait_for, wait_until};
use crate::world::{World, connect, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(20);

/// F74
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_restarts_itself_while_it_is_watched_gets_no_clients() {
    let world = World::that_fails_over().await;
    let (from, primary) = (world.release().await, world.primary().await.unwrap());
    let standby = world.standby().await;
    let running = world.begin_and_stop_at("soak", "before_effect").await;
    let patched = connect(&world.direct(&standby)).await.unwrap();
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walreceiver'";
    let pid: i32 = patched.query_one(sql, &[]).await.unwrap().get(0);
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    wait_until("the server has ended its children", SOON, async || {
        patched.query_one("SELECT 1", &[]).await.is_err()
    })
    .await;
    wait_until("it answers again", SOON, async || {
        connect(&world.direct(&standby)).await.is_ok()
    })
    .await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.contains("restarted itself"), "{ending:?}");
    assert_eq!(world.primary().await.unwrap(), primary, "nobody touched it");
    left::primary_and_standby(&world, &from).await;
}

/// As a person may do who sees stopped processes and does not know why.
async fn let_it_write(world: &World, old: &RunningInstance) {
    old.stand_still("postgres").go_on();
    let writes =
        "SELECT pg_logical_emit_message(false, 'test', 'behind the fork'); SELECT pg_switch_wal()";
    superuser_of(world, old, writes).await;
}

/// The program that takes back what the old primary has written too much, as soon as there is one.
async fn rewinding(old: &RunningInstance) -> Pid {
    wait_for("a rewind", SOON, async || {
        programs_in(&old.data_dir, "pg_rewind").pop()
    })
    .await
}

/// F35, F36: it waits for the new primary's first checkpoint; and is made anew if it is killed half-way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_old_primary_that_went_further_is_rewound_or_made_anew() {
    const CHECKPOINTS: &str =
        "SELECT FROM pg_stat_activity WHERE query ILIKE 'checkpoint' AND state = 'active'";
    let world = World::that_fails_over().await;
    let load = load::start(&world).await;
    for killed in [false, true] {
        let (from, old) = (world.release().await, world.primary().await.unwrap());
        let new = world.standby().await;
        let running = world.begin_and_stop_at("release", "after_commit").await;
        let_it_write(&world, &old).await;
        let checkpointer = new.stand_still("checkpointer");
        assert_eq!(checkpointer.count(), 1, "{checkpointer:?}");
        world.up.look_again().unwrap();
        let client = connect(&world.direct(&new)).await.unwrap();
        wait_until("a checkpoint that does not end", SOON, async || {
            !client.query(CHECKPOINTS, &[]).await.unwrap().is_empty()
        })
        .await;
        assert_eq!(programs_in(&old.data_dir, "pg_rewind"), []);
        checkpointer.go_on();
        let rewind = rewinding(&old).await;
        if killed {
            kill(rewind, Signal::SIGKILL).unwrap();
        }
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{ending:?}");
        left::primary_and_standby(&world, other(&from)).await;
        let is_the_old = world.standby().await.data_dir == old.data_dir;
        assert_eq!(is_the_old, !killed, "{ending:?}");
        load::unharmed(&load, "a rewind");
    }
    load::promise_held(load).await;
}
