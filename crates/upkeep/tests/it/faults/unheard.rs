//! The replacement does not hear, or does not keep up: stopped where it stands, cut off from its primary,
//! or with its replay paused.

use crate::wait::wait_for_line;
use crate::world::{World, connect, other};
use crate::{left, load};

/// Replay may be 4 MB behind when clients are held; this is more.
const FILL: &str = "CREATE TABLE filled AS SELECT repeat('x', 900) FROM generate_series(1, 20000)";

/// Stopped before clients are held, as if the link to it had been cut, or its machine hung.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_does_not_hear_is_not_waited_for_under_a_hold() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    for word in ["walreceiver", "postgres"] {
        let running = world.begin_and_stop_at("check_again", "after_commit").await;
        let replacement = world.replacement().await.expect("the replacement runs");
        assert!(replacement.stand_still(word).count() > 0, "{word}");
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "rolled_back", "{word}: {ending:?}");
        left::nothing_but_the_primary(&world, &from).await;
        load::unharmed(&load, word);
    }
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
