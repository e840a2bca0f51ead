//! The changeover, under load and before the eyes of a witness.

use std::sync::Arc;
use std::time::Instant;

use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::procedure::{Direction, Steps};

use super::plan::{Crash, in_turn, report, run_crashing, way_from};
use crate::bypass::Bypass;
use crate::witness::Witness;
use crate::world::{World, other};
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_there_harms_nobody() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let (felt, unfelt): (Vec<Step>, Vec<Step>) = way_from(Step::ALL[0])
        .into_iter()
        .partition(|step| step.spec().holds_clients || *step == Step::Hold);
    let (after, before): (Vec<Step>, Vec<Step>) = unfelt
        .into_iter()
        .partition(|step| step.spec().direction == Direction::OnlyForward);
    // Only one crash of a run is felt by clients; the others ride along.
    for crashes in in_turn([&before, &felt, &after]) {
        let (began, from) = (Instant::now(), world.release().await);
        let ending = run_crashing(&world, &crashes, async || world.begin().await).await;
        report(&crashes, &ending, began);
        let undone = ending.outcome == "rolled_back" && crashes.iter().any(outlives_its_lease);
        assert!(
            ending.outcome == "succeeded" || undone,
            "{crashes:?}: {ending:?}"
        );
        let now_on = if undone { &from } else { other(&from) };
        left::nothing_but_the_primary(&world, now_on).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_back_harms_nobody() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let bypass = Bypass::start(&world).await;
    let (felt, unfelt): (Vec<Step>, Vec<Step>) = way_from(Step::Rearm)
        .into_iter()
        .partition(|step| step.spec().holds_clients);
    let release = world.release().await;
    for crashes in in_turn([&vec![Step::Unfence], &felt, &unfelt]) {
        let began = Instant::now();
        let ending = run_crashing(&world, &crashes, async || world.begin().await).await;
        report(&crashes, &ending, began);
        assert_eq!(ending.outcome, "rolled_back", "{crashes:?}: {ending:?}");
        assert!(ending.because.contains("bypass the endpoint"), "{ending:?}");
        left::nothing_but_the_primary(&world, &release).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    bypass.stop_unharmed(&world).await;
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

/// A hold is a lease until it is sealed: if a server is away for longer, everybody goes on on the old
/// primary, and the run must undo itself.
fn outlives_its_lease(crash: &Crash) -> bool {
    match Step::named(crash.step) {
        Some(Step::Hold) => crash.boundary != "before_effect",
        Some(Step::Mark) => true,
        Some(Step::Seal) => crash.boundary == "before_effect",
        _ => false,
    }
}
