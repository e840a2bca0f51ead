//! The failover on real servers: to a newer minor release, and away from a standby that does not bear it.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_testkit::releases_source;

use crate::wait::wait_until;
use crate::witness::Witness;
use crate::world::{World, connect};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_failover_to_a_newer_minor_release_and_back_in_place_is_not_noticed() {
    let world = std::sync::Arc::new(World::that_fails_over().await);
    let newer = releases_source::find("15.20").expect("`cargo xtask setup` brings it");
    let [option, place] = newer.options();
    let add = ["releases:add", &option, &place, "--name", "15.20"];
    world.up.run(&add).await.unwrap();
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let old = world.primary().await.unwrap();
    let standby = world.standby().await;

    let ending = world.ending(world.begin_onto("15.20")).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::primary_and_standby(&world, "15.20").await;
    load::unharmed(&load, "the failover");
    assert_eq!(world.primary().await.unwrap().data_dir, standby.data_dir);
    // The very files of the old primary, on the new release, in the new history.
    let rejoined = world.standby().await;
    assert_eq!(rejoined.data_dir, old.data_dir);
    let client = connect(&world.direct(&rejoined)).await.unwrap();
    let sql =
        "SELECT current_setting('server_version'), (SELECT received_tli FROM pg_stat_wal_receiver)";
    let row = client.query_one(sql, &[]).await.unwrap();
    let (version, timeline): (String, i32) = (row.get(0), row.get(1));
    assert!(version.starts_with("15.20"), "{version}");
    assert_eq!(timeline, 2);

    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

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
