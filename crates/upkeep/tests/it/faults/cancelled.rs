//! A person calls a run off, while it waits for something that takes long.

use upkeep_testkit::up::Running;

use super::ballast;
use crate::wait::wait_for_line;
use crate::world::World;
use crate::{left, load};

const REFUSED: i32 = 2;

fn call_off(world: &World) -> Running {
    let cancel = ["data:maintenances:cancel", &world.database, "--wait"];
    world.up.begin(&cancel).unwrap()
}

async fn is_undone(world: &World, from: &str, running: Running, called_off: Running) {
    let called_off = called_off.ended().await.unwrap();
    assert_eq!(called_off.code, Some(0), "{}", called_off.stderr);
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.starts_with("called off by "), "{ending:?}");
    left::nothing_but_the_primary(world, from).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_run_that_is_called_off_leaves_nothing_behind() {
    let world = World::new().await;
    ballast::load(&world).await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let mut running = world.begin().await;
    let sender = ballast::half_copied(&world, &mut running).await;
    let called_off = call_off(&world);
    sender.go_on();
    is_undone(&world, &from, running, called_off).await;

    let client = world.connect().await;
    client.batch_execute("BEGIN; SELECT 1").await.unwrap();
    let mut running = world.begin().await;
    wait_for_line(&mut running, "check_again", "transaction").await;
    is_undone(&world, &from, running, call_off(&world)).await;
    client.batch_execute("COMMIT").await.unwrap();
    load::promise_held(load).await;

    let cancel = ["data:maintenances:cancel", &world.database];
    let refused = world.up.begin(&cancel).unwrap().ended().await.unwrap();
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.stderr);
    assert!(refused.stderr.contains("is going on"), "{}", refused.stderr);
}
