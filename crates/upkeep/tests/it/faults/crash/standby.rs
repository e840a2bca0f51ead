//! A lost standby is built anew by a server that keeps dying.

use std::fs;

use upkeep_domain::procedure::standby;

use super::plan::{BOUNDARIES, Crashes, everywhere};
use crate::world::World;
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_at_any_boundary_builds_standbys_all_the_same() {
    let world = World::with_a_standby().await;
    let load = load::start(&world).await;
    let release = world.release().await;
    for boundary in BOUNDARIES {
        let lost = world.standby().await;
        let all = everywhere::<standby::Step>(boundary);
        let crashes = Crashes::arm(&world, &all);
        world.up.crash_instance(lost.pid).unwrap();
        fs::remove_dir_all(&lost.data_dir).unwrap();
        crashes.all_crossed().await;
        left::primary_and_standby(&world, &release).await;
        assert_ne!(world.standby().await.data_dir, lost.data_dir);
        load::unharmed(&load, boundary);
    }
    load::promise_held(load).await;
}
