//! Where a case is played: a state database of its own, and engines on a simulated world.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, Config, NoTls};
use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::DatabaseId;
use upkeep_engine::request::{CreateDatabase, RunMaintenance};
use upkeep_engine::{Boundaries, Engine, World};
use upkeep_store::{Database, Store};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::{Letterbox, Sim};
use upkeep_testkit::wait;

use crate::watch::Watch;
use crate::world::world;
pub(crate) use crate::world::{FIRST, create_database};

const BIN_DIR: &str = "/usr/lib/postgresql/15/bin";
const LOOK_AGAIN: Duration = Duration::from_millis(50);
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const RELEASES: [&str; 3] = ["15.17-old", "15.18-a", "15.20-b"];
/// Longer than any test, so that only a test that wants so sees a hold end by itself.
pub(crate) const UNHURRIED: HoldLimits = HoldLimits {
    drain_ms: 2_000,
    lease_ms: 30_000,
    hard_ms: 60_000,
};

/// Longer than any test: an old instance is there to be looked at.
pub(crate) const KEPT: Duration = Duration::from_secs(3_600);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded,
    RolledBack,
    Stuck,
    /// Not within the time that it was given.
    StillTrying,
}

pub(crate) async fn server() -> ThrowAway {
    ThrowAway::start(
        Utf8Path::new(BIN_DIR),
        &[("fsync", "off"), ("max_connections", "500")],
    )
    .await
    .expect("a throw-away server starts")
}

/// One state database. Cases are played on it one after the other.
pub(crate) struct Stage {
    pub(crate) store: Arc<Store>,
    config: Config,
    sql: Client,
}

impl Stage {
    pub(crate) async fn new(server: &ThrowAway, name: &str) -> Self {
        let sql = connect(&server.direct("postgres")).await;
        let created = sql.batch_execute(&format!("CREATE DATABASE {name}")).await;
        created.expect("a state database is made");
        let config = server.direct(name);
        let opened = Store::open(config.clone()).await;
        let store = Arc::new(opened.expect("the store opens"));
        let sql = connect(&config).await;
        Self { store, config, sql }
    }

    /// How another server reaches the same state.
    pub(crate) fn config(&self) -> Config {
        self.config.clone()
    }

    pub(crate) async fn clear(&self) {
        let cleared = "DELETE FROM upkeep.databases; DELETE FROM upkeep.apps";
        let cleared = self.sql.batch_execute(cleared).await;
        cleared.expect("the state database is emptied");
    }

    /// As `addons:upgrade` will do it.
    pub(crate) async fn set_plan(&self, database: DatabaseId, plan: &str) {
        let sql = "UPDATE upkeep.databases SET plan = $2 WHERE id = $1";
        let changed = self.sql.execute(sql, &[&database.0, &plan]).await;
        assert_eq!(changed.expect("the plan is changed"), 1);
    }

    /// What only time does.
    pub(crate) async fn change(&self, sql: &str) {
        let changed = self.sql.batch_execute(sql).await;
        changed.expect("the rows are changed");
    }

    /// The first column of each row.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.sql.query(sql, &[]).await.expect("rows are read");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Every row, so that two moments can be compared.
    pub(crate) async fn rows(&self) -> String {
        let mut rows = String::new();
        for table in [
            "apps",
            "databases",
            "attachments",
            "app_versions",
            "instances",
            "maintenances",
            "workflows",
            "events",
        ] {
            let sql = format!("SELECT coalesce(jsonb_agg(t)::text, '') FROM upkeep.{table} t");
            let row = self.sql.query_one(&sql, &[]).await;
            let text: String = row.expect("rows are read").get(0);
            rows.push_str(&text);
        }
        rows
    }

    pub(crate) async fn database(&self, id: DatabaseId) -> Option<Database> {
        self.store.database(id).await.expect("the store answers")
    }

    /// How the newest work on the database ended, if it does in time.
    pub(crate) async fn end(&self, database: DatabaseId, patience: Duration) -> Ended {
        let deadline = Instant::now() + patience;
        loop {
            match self
                .store
                .unfinished(database)
                .await
                .expect("the store answers")
            {
                Some(unfinished) if unfinished.is_stuck => return Ended::Stuck,
                Some(_) if Instant::now() > deadline => return Ended::StillTrying,
                Some(_) => sleep(LOOK_AGAIN).await,
                None => return self.recorded_end(database).await,
            }
        }
    }

    async fn recorded_end(&self, database: DatabaseId) -> Ended {
        let last = self
            .store
            .last_event(database)
            .await
            .expect("the store answers");
        // What was destroyed has no events any more.
        let Some(last) = last else {
            return Ended::Succeeded;
        };
        match last.detail["ended_as"].as_str() {
            Some("succeeded") => Ended::Succeeded,
            Some("rolled_back") => Ended::RolledBack,
            other => panic!("the last event tells no end: {other:?}, {last:?}"),
        }
    }
}

pub(crate) async fn wait_until(what: &str, reached: impl AsyncFnMut() -> bool) {
    wait::wait_until(what, PATIENCE, reached).await;
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}

pub(crate) fn engine(
    store: &Arc<Store>,
    sim: &Arc<Sim>,
    boundaries: Arc<dyn Boundaries>,
    owner: &str,
) -> Engine {
    engine_with(store, sim, boundaries, owner, UNHURRIED, KEPT)
}

pub(crate) fn engine_with(
    store: &Arc<Store>,
    sim: &Arc<Sim>,
    boundaries: Arc<dyn Boundaries>,
    owner: &str,
    hold_limits: HoldLimits,
    retire_grace: Duration,
) -> Engine {
    let world = world(sim, boundaries, hold_limits, retire_grace);
    Engine::new(Arc::clone(store), Arc::new(world), owner)
}

/// One that looks for what is due at every turn.
pub(crate) fn planning_engine(store: &Arc<Store>, sim: &Arc<Sim>) -> Engine {
    planning_engine_of(store, sim, "planner")
}

pub(crate) fn planning_engine_of(store: &Arc<Store>, sim: &Arc<Sim>, owner: &str) -> Engine {
    let world = World {
        plan_every: Duration::from_millis(100),
        ..world(sim, Watch::new(sim, None), UNHURRIED, KEPT)
    };
    Engine::new(Arc::clone(store), Arc::new(world), owner)
}

/// One that plans too, and tells the people of this letterbox.
pub(crate) fn telling_engine(
    store: &Arc<Store>,
    sim: &Arc<Sim>,
    letterbox: &Arc<Letterbox>,
    owner: &str,
) -> Engine {
    let world = World {
        plan_every: Duration::from_millis(100),
        courier: Arc::clone(letterbox) as _,
        ..world(sim, Watch::new(sim, None), UNHURRIED, KEPT)
    };
    Engine::new(Arc::clone(store), Arc::new(world), owner)
}

/// Asks for a follower of `leader`, in an app of its own.
pub(crate) async fn follow(engine: &Engine, leader: &Database) -> Database {
    let app = engine.create_app(None).await.expect("an app is made");
    let request = CreateDatabase {
        app,
        plan: "standard-0".to_owned(),
        name: None,
        attach_as: None,
        release: None,
        follow: Some(leader.clone()),
        request_id: None,
    };
    let made = engine.create_database(request).await;
    made.expect("a follower is begun")
}

pub(crate) fn maintenance_of(database: Database) -> RunMaintenance {
    RunMaintenance {
        database,
        release: None,
        method: None,
        waivers: Vec::new(),
        by: "ama@example.com".to_owned(),
        request_id: None,
    }
}
