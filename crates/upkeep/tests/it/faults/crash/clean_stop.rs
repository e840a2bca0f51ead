//! The changeover on a host where primaries are stopped instead of frozen.

use std::sync::Arc;

use upkeep_domain::procedure::changeover::Step;

use super::plan::{boundaries, run_crashing};
use crate::witness::Witness;
use crate::world::{World, clean_stop, other};
use crate::{left, load};

/// Everything from the fence to the point of no return in one run: the hold is sealed by then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_while_the_old_primary_is_stopped_harms_nobody() {
    let world = Arc::new(World::with(clean_stop()).await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let from = world.release().await;
    let crashes = boundaries(&[Step::Fence, Step::Disarm]);
    let ending = run_crashing(&world, &crashes, async || world.begin().await).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::unharmed(&load, "the way there");

    // Its last records cannot arrive, so it never counts as fenced, and is started again.
    let running = world.begin_and_stop_at("seal", "after_commit").await;
    let replacement = world.replacement().await.expect("the replacement runs");
    replacement.stand_still("postgres");
    world
        .up
        .arm_crash("changeover", "thaw", "after_effect")
        .unwrap();
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(!world.up.crash_is_armed(), "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}
