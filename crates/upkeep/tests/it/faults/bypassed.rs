//! Clients that go past the endpoint. That they may also never stop is tried in `crash`, on the way
//! back.

use crate::wait::wait_until;
use crate::world::{World, connect, other};
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_commit_that_slips_in_behind_the_marker_is_found_and_kept() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let primary = world.primary().await.unwrap();
    let stranger = connect(&world.direct(&primary)).await.unwrap();
    let table = "CREATE TABLE slipped_in(what text)";
    stranger.batch_execute(table).await.unwrap();

    let running = world.begin_and_stop_at("seal", "after_commit").await;
    let commit = "INSERT INTO slipped_in VALUES ('behind the marker')";
    stranger.batch_execute(commit).await.unwrap();
    world.up.look_again().unwrap();

    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    let steps: Vec<_> = ending.run.steps_ms.iter().map(|(step, _)| step).collect();
    assert!(steps.contains(&&"unfence".to_owned()), "{steps:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    let now_on = world.primary().await.unwrap();
    let client = connect(&world.direct(&now_on)).await.unwrap();
    let rows = client.query("SELECT what FROM slipped_in", &[]).await;
    assert_eq!(rows.unwrap().len(), 1);
    wait_until("the stranger's end", left::SWEPT_WITHIN, async || {
        stranger.is_closed()
    })
    .await;
    load::promise_held(load).await;
}
