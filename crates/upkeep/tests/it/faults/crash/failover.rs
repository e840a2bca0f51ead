//! The failover of a server that keeps dying.

use std::sync::Arc;

use upkeep_domain::procedure::failover::Step;

use super::switch::{dying_on_the_way_back_harms_nobody, dying_on_the_way_there_harms_nobody};
use crate::left;
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_of_a_failover_harms_nobody() {
    let world = Arc::new(World::that_fails_over().await);
    dying_on_the_way_there_harms_nobody::<Step>(world, left::primary_and_standby).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_back_of_a_failover_harms_nobody() {
    let world = Arc::new(World::that_fails_over().await);
    let steps = [Step::Unfence, Step::Rearm];
    dying_on_the_way_back_harms_nobody(world, steps, left::primary_and_standby).await;
}
