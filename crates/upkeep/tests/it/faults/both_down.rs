//! The old primary was stopped, its last records did not arrive, and it does not start again: nobody takes its
//! place, for it alone has everything.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use crate::wait::{wait_for_line, wait_until};
use crate::witness::Witness;
use crate::world::{World, clean_stop};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_stopped_primary_that_does_not_start_again_is_not_replaced_by_one_that_has_less() {
    let world = Arc::new(World::with(clean_stop()).await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let from = world.release().await;
    let mut running = world.begin_and_stop_at("seal", "after_commit").await;
    let old = world.primary().await.expect("the primary runs");
    let replacement = world.replacement().await.expect("the replacement runs");
    replacement.stand_still("postgres");
    world.up.look_again().unwrap();
    wait_until("the old primary's end", SOON, async || {
        world
            .instances()
            .iter()
            .all(|there| there.data_dir != old.data_dir)
    })
    .await;
    // Without it no server starts.
    let control = old.data_dir.join("global/pg_control");
    let hidden = old.data_dir.join("global/hidden");
    fs::rename(&control, &hidden).unwrap();
    wait_for_line(&mut running, "thaw", "pg_control").await;
    assert!(
        replacement.data_dir.join("standby.signal").exists(),
        "it was promoted"
    );

    fs::rename(&hidden, &control).unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    witness.saw_one_writer_at_a_time().await;
    load::nothing_lost(load).await;
}
