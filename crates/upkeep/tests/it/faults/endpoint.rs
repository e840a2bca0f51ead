//! The endpoint dies: its clients' connections go with it, but nothing that they were told.

use upkeep_testkit::up::Role;

use crate::world::{World, other};
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_endpoint_that_dies_before_the_seal_undoes_the_run() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("hold", "after_commit").await;
    world.up.crash(Role::Endpoint).unwrap();
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    assert_eq!(world.change_over().await.outcome, "succeeded");
    load::nothing_lost(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_endpoint_that_dies_after_the_seal_comes_back_onto_the_new_primary() {
    let world = World::new().await;
    let load = load::start(&world).await;
    for step in ["seal", "promote"] {
        let from = world.release().await;
        let running = world.begin_and_stop_at(step, "after_commit").await;
        world.up.crash(Role::Endpoint).unwrap();
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{step}: {ending:?}");
        left::nothing_but_the_primary(&world, other(&from)).await;
    }
    load::nothing_lost(load).await;
}
