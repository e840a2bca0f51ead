//! The failover to a newer minor release, on real servers.

use upkeep_testkit::releases_source;

use crate::witness::Witness;
use crate::world::{World, connect};
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_failover_to_a_newer_minor_release_and_back_in_place_is_not_noticed() {
    let world = std::sync::Arc::new(World::that_fails_over().await);
    let newer = releases_source::find("15.20").expect("`cargo xtask setup` brings it");
    let [option, place] = newer.options();
    let add = ["releases:add", &option, &place, "--name", "15.20"];
    world.up.run(&add).await.unwrap();
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let old = world.primary().await.unwrap();
    let standby = world.standby().await;

    let ending = world.ending(world.begin_onto("15.20")).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::primary_and_standby(&world, "15.20").await;
    load::unharmed(&load, "the failover");
    assert_eq!(world.primary().await.unwrap().data_dir, standby.data_dir);
    // The very files of the old primary, on the new release, in the new history.
    let rejoined = world.standby().await;
    assert_eq!(rejoined.data_dir, old.data_dir);
    let client = connect(&world.direct(&rejoined)).await.unwrap();
    let sql =
        "SELECT current_setting('server_version'), (SELECT received_tli FROM pg_stat_wal_receiver)";
    let row = client.query_one(sql, &[]).await.unwrap();
    let (version, timeline): (String, i32) = (row.get(0), row.get(1));
    assert!(version.starts_with("15.20"), "{version}");
    assert_eq!(timeline, 2);

    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}
