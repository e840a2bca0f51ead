//! Followers are made, changed over under their readers and let go by a server that keeps dying.

use std::time::Instant;

use upkeep_domain::procedure::{follow, follower_changeover, unfollow};
use upkeep_testkit::up::Ended;

use super::plan::{BOUNDARIES, Crash, Crashes, begun, everywhere, on_the_way_there};
use super::switch::outlives_its_lease;
use crate::followers::{Follower, Writer, readers_of, slots_are_of, unharmed};
use crate::left;
use crate::world::{APP, World, other};

const NAME: &str = "reader";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_makes_and_frees_followers_all_the_same() {
    let world = World::new().await;
    let writer = Writer::start(&world).await;
    let release = world.release().await;
    for boundary in BOUNDARIES {
        let plan = "heroku-postgresql:standard-0";
        let create = ["addons:create", plan, "-a", APP, "--name", NAME];
        let create = [&create[..], &["--", "--follow", "DATABASE"]].concat();
        begun(&dying(&world, &everywhere::<follow::Step>(boundary), &create).await);
        let wait = ["addons:wait", NAME, "-a", APP];
        world.up.run(&wait).await.unwrap();
        let follower = Follower::named(&world, NAME).await;
        follower.follows(&world).await;
        slots_are_of(&world, &[&follower]).await;

        let unfollow = ["pg:unfollow", &follower.var, "-a", APP, "--confirm", APP];
        begun(&dying(&world, &everywhere::<unfollow::Step>(boundary), &unfollow).await);
        slots_are_of(&world, &[]).await;
        let own = "CREATE TABLE own ()";
        follower.connect().await.batch_execute(own).await.unwrap();

        let destroy = ["addons:destroy", NAME, "-a", APP, "--confirm", APP];
        world.up.run(&destroy).await.unwrap();
        left::nothing_but_the_primary(&world, &release).await;
    }
    writer.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_moves_readers_all_the_same() {
    let world = World::new().await;
    let follower = Follower::of(&world).await;
    let writer = Writer::start(&world).await;
    follower.follows(&world).await;
    let readers = readers_of(&[&follower]).await;
    for crashes in on_the_way_there::<follower_changeover::Step>() {
        let (began, from) = (
            Instant::now(),
            world.books().await.release(&follower.name).await,
        );
        let run = ["data:maintenances:run", &follower.name, "-a", APP];
        let how = ["--confirm", APP, "--method", "changeover"];
        let run = [&run[..], &how, &["--release", other(&from), "--wait"]].concat();
        let ended = dying(&world, &crashes, &run).await;
        eprintln!(
            "{:5.1} s  {:?} {crashes:?}",
            began.elapsed().as_secs_f64(),
            ended.code
        );
        let undone = ended.code == Some(1) && crashes.iter().any(outlives_its_lease);
        assert!(ended.code == Some(0) || undone, "{crashes:?}: {ended:?}");
        let now_on = if undone { &from } else { other(&from) };
        assert_eq!(world.books().await.release(&follower.name).await, now_on);
        follower.follows(&world).await;
        slots_are_of(&world, &[&follower]).await;
    }
    writer.end().await;
    unharmed(readers).await;
}

async fn dying(world: &World, all: &[Crash], begin: &[&str]) -> Ended {
    let mut crashes = Crashes::arm(world, all);
    let work = tokio::spawn(world.up.begin(begin).unwrap().ended());
    crashes.ride_along(&work).await;
    let ended = work.await.unwrap().unwrap();
    if ended.code == Some(1) {
        crashes.all_crossed_on_the_way_back().await;
    } else {
        crashes.all_crossed().await;
    }
    ended
}
