//! The host's disk fills while there is a copy: the copy goes, the database stays.

use super::ballast;
use crate::direct::{primary, superuser, superuser_of};
use crate::disk::{Disk, available_bytes, fill};
use crate::wait::wait_for_line;
use crate::world::{World, other};
use crate::{left, load};

/// Less than is kept for the database.
const LEFT_BYTES: u64 = 60 << 20;
/// More than that, by some files of WAL.
const ALMOST_BYTES: u64 = 120 << 20;

/// F42: somebody else takes the room when half of it is copied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_copy_that_would_take_the_last_room_is_given_up_before_the_database_suffers() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::new_in(disk.dir()).await;
    ballast::load(&world).await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let mut running = world.begin().await;
    let sender = ballast::half_copied(&world, &mut running).await;
    let others = fill(world.up.dir(), LEFT_BYTES);
    wait_for_line(&mut running, "discard", "").await;
    sender.go_on();
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

/// F43: what the primary keeps for a copy that does not take it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_copy_for_which_too_much_is_kept_is_given_up_before_the_database_suffers() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::new_in(disk.dir()).await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world
        .begin_and_stop_at("start_replacement", "after_commit")
        .await;
    let replacement = world.replacement().await.expect("the replacement runs");
    let receiver = replacement.stand_still("walreceiver");
    assert_eq!(receiver.count(), 1, "{receiver:?}");
    let _others = fill(world.up.dir(), ALMOST_BYTES);
    let megabyte = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000))";
    let old = primary(&world).await;
    while available_bytes(world.up.dir()) > LEFT_BYTES {
        superuser_of(&world, &old, megabyte).await;
    }
    let least = available_bytes(world.up.dir());
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(ending.because.contains("runs out of room"), "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    superuser(&world, "CHECKPOINT").await;
    let now = available_bytes(world.up.dir());
    assert!(now > least, "{least}, {now}");
    load::promise_held(load).await;
}
