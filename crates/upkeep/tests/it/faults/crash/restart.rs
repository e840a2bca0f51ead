//! The restart, under load and before the eyes of a witness.

use std::sync::Arc;
use std::time::Instant;

use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::restart::Step;

use super::plan::{Crash, on_the_way_there, report, run_crashing};
use crate::witness::Witness;
use crate::world::World;
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_of_a_restart_harms_nobody() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let release = world.release().await;
    for crashes in on_the_way_there::<Step>() {
        let began = Instant::now();
        let ending = run_crashing(&world, &crashes, async || world.begin_restart()).await;
        report(&crashes, &ending, began);
        let undone = ending.outcome == "rolled_back" && crashes.iter().any(outlives_its_lease);
        assert!(
            ending.outcome == "succeeded" || undone,
            "{crashes:?}: {ending:?}"
        );
        left::nothing_but_the_primary(&world, &release).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

/// Until it is sealed a hold is a lease: if a server is away for longer, everybody has gone on.
fn outlives_its_lease(crash: &Crash) -> bool {
    match Step::named(crash.step) {
        Some(Step::Hold) => crash.boundary != "before_effect",
        Some(Step::Seal) => crash.boundary == "before_effect",
        _ => false,
    }
}
