//! A copy for which there is no room.

use super::listing;
use crate::disk::{Disk, fill};
use crate::left;
use crate::world::{World, other};

/// Enough to go on with, too little for a copy.
const LEFT_BYTES: u64 = 128 << 20;

#[tokio::test]
async fn without_room_for_a_copy_nothing_is_begun_and_with_room_it_is() {
    let Some(disk) = Disk::mount() else { return };
    let world = World::new_in(disk.dir()).await;
    let from = world.release().await;
    let ballast = fill(world.up.dir(), LEFT_BYTES);
    let before = listing(&world.up).await;

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(
        ending.because.contains("not enough room on the host"),
        "{ending:?}"
    );
    left::nothing_but_the_primary(&world, &from).await;
    let after = listing(&world.up).await;
    // Beside the maintenance itself, which is told.
    assert_eq!(after[..4], before[..4]);

    std::fs::remove_file(ballast).unwrap();
    assert_eq!(world.change_over().await.outcome, "succeeded");
    left::nothing_but_the_primary(&world, other(&from)).await;
}
