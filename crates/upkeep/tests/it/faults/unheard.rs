//! The replacement does not hear, or does not keep up: stopped where it stands, cut off from its primary,
//! or with its replay paused.

use std::sync::Arc;

use upkeep_testkit::up::RunningInstance;

use crate::direct::superuser_of;
use crate::followers::Follower;
use crate::wait::wait_for_line;
use crate::witness::Witness;
use crate::world::{World, connect, other};
use crate::{left, load};

/// Replay may be 4 MB behind when clients are held; this is more.
const FILL: &str = "CREATE TABLE filled AS SELECT repeat('x', 900) FROM generate_series(1, 20000)";

/// As if the link to it had been cut, or its machine hung: before clients are held, and when they wait already for
/// what it has not received.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_does_not_hear_takes_nothing_over() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let from = world.release().await;
    for (step, boundary, word) in [
        ("check_again", "after_commit", "walreceiver"),
        ("check_again", "after_commit", "postgres"),
        ("mark", "before_effect", "walreceiver"),
        // No lease ends any more: it is the proof that fails.
        ("seal", "after_commit", "postgres"),
    ] {
        let running = world.begin_and_stop_at(step, boundary).await;
        let replacement = world.replacement().await.expect("the replacement runs");
        let deaf = replacement.stand_still(word);
        assert!(deaf.count() > 0, "{word}");
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        eprintln!("{step} {boundary}, {word}: {}", ending.because);
        assert_eq!(ending.outcome, "rolled_back", "{step}, {word}: {ending:?}");
        // Too late.
        deaf.go_on();
        left::nothing_but_the_primary(&world, &from).await;
        load::unharmed(&load, word);
    }
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_whose_replay_is_paused_is_waited_for_before_anybody_is_held() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let mut running = world.begin_and_stop_at("checkpoint", "after_commit").await;
    let replacement = world.replacement().await.expect("the replacement runs");
    let standby = connect(&world.direct(&replacement)).await.unwrap();
    let pause = "SELECT pg_wal_replay_pause()";
    standby.batch_execute(pause).await.unwrap();
    world.connect().await.batch_execute(FILL).await.unwrap();
    world.up.look_again().unwrap();
    wait_for_line(&mut running, "check_again", "catch up").await;
    load::unharmed(&load, "a pause");
    let resume = "SELECT pg_wal_replay_resume()";
    standby.batch_execute(resume).await.unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}

/// Who would take over must have replayed everything when clients are held, and a follower must be able to go
/// along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_standby_that_replays_late_on_purpose_is_named_and_so_is_a_follower() {
    let world = World::that_fails_over().await;
    let follower = Follower::of(&world).await;
    let load = load::start(&world).await;
    let replays_late = async |server: &RunningInstance, delay| {
        let set = format!("ALTER SYSTEM SET recovery_min_apply_delay = '{delay}'");
        superuser_of(&world, server, &set).await;
        superuser_of(&world, server, "SELECT pg_reload_conf()").await;
    };
    let late = follower.instance(&world).await;
    replays_late(&late, "10min").await;
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    let because = &ending.because;
    assert!(because.contains("late on purpose"), "{because}");
    assert!(because.contains(&follower.name), "{because}");
    replays_late(&late, "0").await;

    // Only now: what is set on a standby alone is gone when it is patched.
    let standby = world.standby().await;
    let running = world
        .begin_and_stop_at("check_again", "before_effect")
        .await;
    replays_late(&standby, "10min").await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    let because = &ending.because;
    assert!(because.contains("recovery_min_apply_delay"), "{because}");
    load::unharmed(&load, "a delay");

    world.standby().await;
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(follower.instance(&world).await, late, "nobody replaced it");
    follower.follows(&world).await;
    load::promise_held(load).await;
}
