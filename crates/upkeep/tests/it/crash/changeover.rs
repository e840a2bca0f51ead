//! The changeover, under load and before the eyes of a witness.

use std::sync::Arc;
use std::time::Instant;

use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::procedure::{Direction, Steps};

use super::plan::{Crash, Crashes, boundaries, way_from};
use crate::bypass::Bypass;
use crate::witness::Witness;
use crate::world::{Ending, World, other};
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
        let ending = change_over_crashing(&world, &crashes).await;
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
        let ending = change_over_crashing(&world, &crashes).await;
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

/// The boundaries of each group one after the other, those of all groups side by side.
fn in_turn(groups: [&Vec<Step>; 3]) -> Vec<Vec<Crash>> {
    let groups = groups.map(|steps| boundaries(steps));
    let longest = groups.iter().map(Vec::len).max().unwrap_or_default();
    let round = |at: usize| {
        let crashes = groups.iter().filter_map(|group| group.get(at).copied());
        crashes.collect()
    };
    (0..longest).map(round).collect()
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

/// Runs a maintenance during which the server dies at each of these boundaries.
pub(super) async fn change_over_crashing(world: &World, crashes: &[Crash]) -> Ending {
    let mut crashes = Crashes::arm(world, crashes);
    let running = world.begin().await;
    crashes.ride_along(&tokio::spawn(running.ended())).await;
    let ending = world.latest().await;
    if ending.outcome == "rolled_back" {
        crashes.all_crossed_on_the_way_back().await;
    } else {
        crashes.all_crossed().await;
    }
    world.latest().await
}

fn report(crashes: &[Crash], ending: &Ending, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    eprintln!(
        "{seconds:5.1} s  {:<11} {crashes:?} {}",
        ending.outcome, ending.because
    );
}
