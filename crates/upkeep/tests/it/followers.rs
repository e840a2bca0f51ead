//! Followers on real servers: made, taken along by a switch of their leader, refused.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use upkeep_testkit::load::readers::Readers;
use upkeep_testkit::up::RunningInstance;

use crate::wait::{wait_for, wait_until};
use crate::world::{APP, World, connect};

const SOON: Duration = Duration::from_secs(30);

/// A follower of the world's database, as its clients and its operator see it.
pub(crate) struct Follower {
    pub(crate) name: String,
    pub(crate) var: String,
    url: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    config_vars: Vec<String>,
}

impl Follower {
    /// As Heroku's users ask for one.
    pub(crate) async fn of(world: &World) -> Self {
        let create = [
            "addons:create",
            "heroku-postgresql:standard-0",
            "-a",
            APP,
            "--wait",
        ];
        let create = [&create[..], &["--", "--follow", "DATABASE"]].concat();
        let Named { name, config_vars } = world.up.json(&create).await.unwrap();
        let mut vars = config(world).await;
        let var = config_vars[0].clone();
        let url = vars.remove(&var).expect("it is in the configuration");
        Self { name, var, url }
    }

    /// The only one, if nobody has heard how it was made.
    pub(crate) async fn named(world: &World, name: &str) -> Self {
        let mut vars = config(world).await.into_iter();
        let (var, url) = vars
            .find(|(_, url)| *url != world.url)
            .expect("it is in the configuration");
        let name = name.to_owned();
        Self { name, var, url }
    }

    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url.parse().unwrap()).await.unwrap()
    }

    pub(crate) async fn instance(&self, world: &World) -> RunningInstance {
        let id = world.books().await.primary(&self.name).await;
        let mut all = world.instances().into_iter();
        let found = all.find(|instance| instance.data_dir.as_str().contains(&id));
        found.expect("its server runs")
    }

    /// Its server follows `primary`'s history and shows what is written there.
    pub(crate) async fn follows(&self, world: &World) {
        let leader = world.connect().await;
        let said = "CREATE TABLE IF NOT EXISTS said (n bigserial PRIMARY KEY); INSERT INTO said DEFAULT VALUES";
        leader.batch_execute(said).await.unwrap();
        let count = "SELECT count(*) FROM said";
        let wanted: i64 = leader.query_one(count, &[]).await.unwrap().get(0);
        let reader = self.connect().await;
        wait_until("it shows what its leader was told", SOON, async || {
            let row = reader.query_one(count, &[]).await;
            row.is_ok_and(|row| row.get::<_, i64>(0) == wanted)
        })
        .await;
    }
}

async fn config(world: &World) -> BTreeMap<String, String> {
    world.up.json(&["config", "-a", APP]).await.unwrap()
}

/// How far the writer has come, as a follower shows it.
const WRITTEN: &str = "SELECT coalesce(max(id), 0)::int8 FROM ledger";

pub(crate) async fn readers_of(followers: &[&Follower]) -> Readers {
    let urls: Vec<_> = followers
        .iter()
        .map(|follower| follower.url.as_str())
        .collect();
    Readers::start(&urls, 2, WRITTEN).await.unwrap()
}

pub(crate) async fn unharmed(readers: Readers) {
    let broken = readers.stop().await.broken();
    assert!(broken.is_empty(), "{broken:?}");
}

/// Commits one row after the other through the leader's address.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<i64>,
}

impl Writer {
    pub(crate) async fn start(world: &World) -> Self {
        let client = world.connect().await;
        let ledger = "CREATE TABLE IF NOT EXISTS ledger (id bigserial PRIMARY KEY)";
        client.batch_execute(ledger).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let insert = "INSERT INTO ledger DEFAULT VALUES RETURNING id";
            let insert = client.prepare(insert).await.expect("it is prepared");
            let mut last = 0;
            while !told.load(Ordering::Relaxed) {
                let row = client.query_one(&insert, &[]).await;
                last = row.expect("no write fails").get(0);
            }
            last
        });
        Self { stop, task }
    }

    pub(crate) async fn end(self) -> i64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("it has written all the time")
    }
}

/// Only the slots of those that follow are there, on a primary that is served by them.
pub(crate) async fn slots_are_of(world: &World, followers: &[&Follower]) {
    let primary = connect(&world.direct(&world.primary().await.unwrap())).await;
    let primary = primary.unwrap();
    let mut wanted = Vec::new();
    for follower in followers {
        let id = world.books().await.primary(&follower.name).await;
        wanted.push(format!("upkeep_{}", id.replace('-', "")));
    }
    wanted.sort();
    wait_until("one slot for each that follows", SOON, async || {
        let sql = "SELECT slot_name::text FROM pg_replication_slots WHERE active ORDER BY 1";
        let all = "SELECT count(*) FROM pg_replication_slots";
        let active = primary.query(sql, &[]).await.unwrap();
        let active: Vec<String> = active.iter().map(|row| row.get(0)).collect();
        let all: i64 = primary.query_one(all, &[]).await.unwrap().get(0);
        active == wanted && all == wanted.len() as i64
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_two_followers_keep_their_readers_through_their_leaders_changeover() {
    let world = World::new().await;
    let (one, two) = (Follower::of(&world).await, Follower::of(&world).await);
    let writer = Writer::start(&world).await;
    one.follows(&world).await;
    two.follows(&world).await;
    let readers = readers_of(&[&one, &two]).await;
    let servers = [one.instance(&world).await, two.instance(&world).await];

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");

    let last = writer.end().await;
    unharmed(readers).await;
    for (follower, server) in [&one, &two].into_iter().zip(&servers) {
        assert_eq!(
            follower.instance(&world).await,
            *server,
            "not even a restart"
        );
        follower.follows(&world).await;
        let client = follower.connect().await;
        let row = client
            .query_one("SELECT max(id)::int8 FROM ledger", &[])
            .await;
        assert_eq!(row.unwrap().get::<_, i64>(0), last);
    }
    slots_are_of(&world, &[&one, &two]).await;
    let shown = world.info_of("DATABASE", "Followers").await.unwrap();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(
        world.info_of(&one.name, "Behind By").await,
        Some(vec!["0 commits".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_followed_is_refused_and_a_leader_is_not_destroyed() {
    let world = World::new().await;
    let follower = Follower::of(&world).await;
    let refused = async |arguments: &[&str], word: &str| {
        let ended = world.up.begin(arguments).unwrap().ended().await.unwrap();
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(word),
            "{arguments:?}: {}",
            ended.stderr
        );
    };
    let create = |plan| ["addons:create", plan, "-a", APP, "--", "--follow"];
    let standard = create("heroku-postgresql:standard-0");
    refused(&[&standard[..], &[&follower.var]].concat(), "not chained").await;
    refused(&[&standard[..], &["NOBODY"]].concat(), "no database").await;
    let essential = create("heroku-postgresql:essential-0");
    refused(&[&essential[..], &["DATABASE"]].concat(), "cannot follow").await;
    refused(
        &["pg:unfollow", "DATABASE", "-a", APP, "--confirm", APP],
        "is not a follower",
    )
    .await;
    let destroy = |name| ["addons:destroy", name, "-a", APP, "--confirm", APP];
    refused(&destroy("DATABASE"), "has followers").await;

    world.up.run(&destroy(&follower.var)).await.unwrap();
    let gone = wait_for("nothing of the follower", SOON, async || {
        (world.instances().len() == 1).then_some(())
    });
    gone.await;
    slots_are_of(&world, &[]).await;
}
