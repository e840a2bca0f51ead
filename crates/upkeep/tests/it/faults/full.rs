//! The host's disk fills while there is a copy: the copy goes, the database stays.

use crate::disk::{Disk, fill};
use crate::world::{World, other};
use crate::{left, load};

/// Less than is kept for the database.
const LEFT_BYTES: u64 = 60 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_copy_that_would_take_the_last_room_is_given_up_before_the_database_suffers() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::new_in(disk.dir()).await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("base_backup", "after_effect").await;
    let others = fill(world.up.dir(), LEFT_BYTES);
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.contains("runs out of room"), "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    load::unharmed(&load, "a full disk");

    std::fs::remove_file(others).unwrap();
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}
