//! The changeover of a server that keeps dying.

use std::sync::Arc;
use std::time::Instant;

use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::Step;

use super::plan::{in_turn, report, run_crashing, way_from};
use super::switch::dying_on_the_way_there_harms_nobody;
use crate::bypass::Bypass;
use crate::witness::Witness;
use crate::world::World;
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_there_harms_nobody() {
    let world = Arc::new(World::new().await);
    dying_on_the_way_there_harms_nobody::<Step>(world, left::nothing_but_the_primary).await;
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
