//! The changeover of a server that keeps dying.

use std::sync::Arc;

use upkeep_domain::procedure::changeover::Step;

use super::switch::{dying_on_the_way_back_harms_nobody, dying_on_the_way_there_harms_nobody};
use crate::left;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_there_harms_nobody() {
    let world = Arc::new(World::new().await);
    dying_on_the_way_there_harms_nobody::<Step>(world, left::nothing_but_the_primary).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_back_harms_nobody() {
    let world = Arc::new(World::new().await);
    let steps = [Step::Unfence, Step::Rearm];
    dying_on_the_way_back_harms_nobody(world, steps, left::nothing_but_the_primary).await;
}
