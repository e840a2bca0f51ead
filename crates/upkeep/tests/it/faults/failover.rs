//! A failover to a standby that does not bear its new release.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::left;
use crate::wait::wait_until;
use crate::world::{World, connect};

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
