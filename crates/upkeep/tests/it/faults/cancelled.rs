//! A person calls a run off, while it waits for something that takes long.

use super::ballast::{BALLAST, HALF_COPIED};
use crate::wait::wait_for_line;
use crate::world::World;
use crate::{left, load};

const REFUSED: i32 = 2;

/// Begins, calls it off when this is said of `step`, and looks at what is left.
async fn call_off(world: &World, step: &str, said: &str) {
    let from = world.release().await;
    let mut running = world.begin().await;
    wait_for_line(&mut running, step, said).await;
    let cancel = ["data:maintenances:cancel", &world.database, "--wait"];
    world.up.run(&cancel).await.unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.starts_with("called off by "), "{ending:?}");
    left::nothing_but_the_primary(world, &from).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_run_that_is_called_off_leaves_nothing_behind() {
    let world = World::new().await;
    world.connect().await.batch_execute(BALLAST).await.unwrap();
    let load = load::start(&world).await;
    call_off(&world, "base_backup", HALF_COPIED).await;

    let client = world.connect().await;
    client.batch_execute("BEGIN; SELECT 1").await.unwrap();
    call_off(&world, "check_again", "transaction").await;
    client.batch_execute("COMMIT").await.unwrap();
    load::promise_held(load).await;

    let cancel = ["data:maintenances:cancel", &world.database];
    let refused = world.up.begin(&cancel).unwrap().ended().await.unwrap();
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.stderr);
    assert!(refused.stderr.contains("is going on"), "{}", refused.stderr);
}
