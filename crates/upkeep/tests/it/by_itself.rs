//! Maintenance without anybody's hand: planned when a newer release is there, done when its window opens.

use std::time::Duration;

use serde_json::Value;
use upkeep_testkit::releases_source;
use upkeep_testkit::up::{Options, Role};

use crate::books::Books;
use crate::load;
use crate::wait::{wait_for, wait_until};
use crate::world::{APP, World, options};

const OLDER: &str = "15.18";
const NEWER: &str = "15.20";
const SOON: Duration = Duration::from_secs(30);
const DONE_WITHIN: Duration = Duration::from_secs(120);

impl World {
    /// Nothing while the server is away.
    async fn ask(&self, command: &str) -> Option<Value> {
        let command = format!("data:maintenances:{command} {} -a {APP}", self.database);
        let words: Vec<&str> = command.split(' ').collect();
        self.up.json(&words).await.ok()
    }

    async fn is_at(&self, status: &str) -> bool {
        let told = self.ask("info").await;
        told.is_some_and(|told| told["status"] == status)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_comes_by_itself_when_its_window_opens_and_through_the_death_of_the_server() {
    let looking = Options {
        plan_every: Some(Duration::from_secs(1)),
        ..options()
    };
    let sources = [OLDER, NEWER].map(|version| releases_source::find(version).unwrap());
    let world = World::between_with(&sources, looking).await;
    let load = load::start(&world).await;
    wait_until("it is planned", SOON, async || world.is_at("pending").await).await;
    Books::open(&world.up)
        .await
        .let_window_open(&world.database)
        .await;
    wait_until("it is begun", SOON, async || world.is_at("running").await).await;
    world.up.crash(Role::Server).unwrap();
    let history = wait_for("it has ended", DONE_WITHIN, async || {
        let history = world.ask("history").await?;
        history[0]["outcome"].is_string().then_some(history)
    })
    .await;
    let [run] = &history.as_array().unwrap()[..] else {
        panic!("it ran once: {history}");
    };
    assert_eq!(run["outcome"], "succeeded", "{run}");
    assert_eq!(run["begun_by"], "Upkeep");
    assert_eq!(run["method"], "changeover");
    assert_eq!(run["reason"], "security_release");
    assert_eq!(
        run["reason_because"],
        "PostgreSQL 15.20 closes security holes"
    );
    assert!(run["window"].is_string() && run["scheduled_for"].is_string());
    load::promise_held(load).await;
}
