//! A database is made and destroyed by a server that keeps dying.

use std::collections::BTreeMap;
use std::time::Duration;

use upkeep_domain::procedure::{destroy, provision};

use super::plan::{BOUNDARIES, Crashes, begun, everywhere};
use crate::left;
use crate::wait::wait_until;
use crate::world::{APP, World, connect};

const SOON: Duration = Duration::from_secs(30);
const NAME: &str = "second";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_makes_and_destroys_databases_all_the_same() {
    let world = World::new().await;
    let release = world.release().await;
    for boundary in BOUNDARIES {
        make(&world, boundary).await;
        it_works(&world).await;
        destroy(&world, boundary).await;
        left::nothing_but_the_primary(&world, &release).await;
    }
}

async fn make(world: &World, boundary: &'static str) {
    let all = everywhere::<provision::Step>(boundary);
    let crashes = Crashes::arm(world, &all);
    let plan = "heroku-postgresql:standard-0";
    let create = ["addons:create", plan, "-a", APP, "--name", NAME];
    let created = tokio::spawn(world.up.begin(&create).unwrap().ended());
    crashes.all_crossed().await;
    begun(&created.await.unwrap().unwrap());
    let wait = ["addons:wait", NAME, "-a", APP];
    world.up.run(&wait).await.unwrap();
}

async fn it_works(world: &World) {
    let vars = ["config", "-a", APP];
    let vars: BTreeMap<String, String> = world.up.json(&vars).await.unwrap();
    let url = vars.iter().find(|(name, _)| *name != "DATABASE_URL");
    let client = connect(&url.unwrap().1.parse().unwrap()).await.unwrap();
    let work = "CREATE TABLE works(); INSERT INTO works DEFAULT VALUES";
    client.batch_execute(work).await.unwrap();
}

async fn destroy(world: &World, boundary: &'static str) {
    let all = everywhere::<destroy::Step>(boundary);
    let crashes = Crashes::arm(world, &all);
    let destroy = ["addons:destroy", NAME, "-a", APP, "--confirm", APP];
    let destroyed = tokio::spawn(world.up.begin(&destroy).unwrap().ended());
    crashes.all_crossed().await;
    begun(&destroyed.await.unwrap().unwrap());
    wait_until("the end of the database", SOON, async || {
        world.books().await.unfinished_workflows().await == 0
    })
    .await;
}
