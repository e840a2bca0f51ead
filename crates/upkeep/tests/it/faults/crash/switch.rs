//! Any procedure that switches, under load and before the eyes of a witness, with a server that dies.

use std::sync::Arc;
use std::time::Instant;

use upkeep_domain::procedure::Steps;

use super::plan::{Crash, in_turn, on_the_way_there, report, run_crashing, way_from};
use crate::bypass::Bypass;
use crate::load;
use crate::witness::Witness;
use crate::world::{World, other};

/// At every boundary of the way there. `left` looks at what a run has left.
pub(super) async fn dying_on_the_way_there_harms_nobody<S: Steps>(
    world: Arc<World>,
    left: impl AsyncFn(&World, &str),
) {
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    for crashes in on_the_way_there::<S>() {
        let (began, from) = (Instant::now(), world.release().await);
        let ending = run_crashing(&world, &crashes, async || world.begin().await).await;
        report(&crashes, &ending, began);
        let undone = ending.outcome == "rolled_back" && crashes.iter().any(outlives_its_lease);
        assert!(
            ending.outcome == "succeeded" || undone,
            "{crashes:?}: {ending:?}"
        );
        let now_on = if undone { &from } else { other(&from) };
        left(&world, now_on).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

/// At every boundary of the way back, which it takes because somebody commits past the endpoint: from the step
/// that leads to the fence once more, and from the first one that undoes.
pub(super) async fn dying_on_the_way_back_harms_nobody<S: Steps>(
    world: Arc<World>,
    [again, first]: [S; 2],
    left: impl AsyncFn(&World, &str),
) {
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let bypass = Bypass::start(&world).await;
    let (felt, unfelt): (Vec<S>, Vec<S>) = way_from(first)
        .into_iter()
        .partition(|step| step.spec().holds_clients);
    let release = world.release().await;
    for crashes in in_turn([&vec![again], &felt, &unfelt]) {
        let began = Instant::now();
        let ending = run_crashing(&world, &crashes, async || world.begin().await).await;
        report(&crashes, &ending, began);
        assert_eq!(ending.outcome, "rolled_back", "{crashes:?}: {ending:?}");
        assert!(ending.because.contains("bypass the endpoint"), "{ending:?}");
        left(&world, &release).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    bypass.stop_unharmed(&world).await;
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

/// A hold is a lease until it is sealed: if a server is away for longer, everybody goes on on the old
/// primary, and the run must undo itself.
pub(super) fn outlives_its_lease(crash: &Crash) -> bool {
    match crash.step {
        "hold" => crash.boundary != "before_effect",
        "mark" | "overtake" => true,
        "seal" => crash.boundary == "before_effect",
        _ => false,
    }
}
