//! Settings that a standby must not have less of than its primary, raised on a primary that has both a
//! hidden standby and a follower.

use std::time::Duration;

use crate::direct::{show, superuser};
use crate::followers::Follower;
use crate::load;
use crate::wait::wait_until;
use crate::world::{APP, World, connect};

const SOON: Duration = Duration::from_secs(30);

/// As late as just before clients are held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_what_is_set_while_a_run_goes_on_is_not_undone_by_it() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let running = world
        .begin_and_stop_at("prepare_sessions", "after_commit")
        .await;
    superuser(&world, "ALTER SYSTEM SET log_min_duration_statement = 4321").await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(show(&world, "log_min_duration_statement").await, "4321ms");
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_raised_settings_come_to_standbys_first_and_nobody_stops_replaying() {
    let world = World::with_a_standby().await;
    let load = load::start(&world).await;
    let follower = Follower::of(&world).await;
    superuser(&world, "ALTER SYSTEM SET max_connections = 777").await;

    let refused = world.restart().await;
    assert_eq!(refused.outcome, "rolled_back", "{refused:?}");
    let because = &refused.because;
    assert!(because.contains("would stop replaying"), "{because}");
    assert!(because.contains(&follower.name), "{because}");
    assert!(because.contains("--method changeover"), "{because}");

    let run = [
        "data:maintenances:run",
        &follower.name,
        "--method",
        "changeover",
    ];
    let run = [&run[..], &["--confirm", APP, "--wait"]].concat();
    world.up.run(&run).await.unwrap();
    world.standby().await;

    let ending = world.restart().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(show(&world, "max_connections").await, "777");
    follower.follows(&world).await;
    let standby = world.standby().await;
    let standby = connect(&world.direct(&standby)).await.unwrap();
    let replays =
        "SELECT current_setting('max_connections') = '777' AND NOT pg_is_wal_replay_paused()";
    wait_until("the standby has it and replays", SOON, async || {
        let row = standby.query_one(replays, &[]).await;
        row.is_ok_and(|row| row.get(0))
    })
    .await;
    load::promise_held(load).await;
}
