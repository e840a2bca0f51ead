//! A running product with one database, and two releases to change over between: the installed one,
//! added twice under two names.

use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};
use upkeep_testkit::releases_source::{ReleaseSource, installed_dir};
use upkeep_testkit::up::{self, Ended, MaintenanceRun, Options, Running, RunningInstance, Up};

use crate::books::Books;
use crate::wait::{wait_for, wait_until};

pub(crate) const APP: &str = "shop";
const RELEASES: [&str; 2] = ["15-a", "15-b"];
const STANDARD: &str = "heroku-postgresql:standard-0";
const PREMIUM: &str = "heroku-postgresql:premium-0";
/// Sweeps look every two seconds, and a copy of little takes as long.
const BUILT_WITHIN: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) up: Up,
    /// Name of the database.
    pub(crate) database: String,
    /// What the application was given.
    pub(crate) url: String,
    /// How maintenances are carried out.
    method: &'static str,
}

/// How a maintenance ended.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: String,
    pub(crate) because: String,
    pub(crate) run: MaintenanceRun,
}

pub(crate) fn options() -> Options {
    Options {
        retire_grace: Some(Duration::ZERO),
        soak: Some(Duration::from_secs(1)),
        ..Options::new(env!("CARGO_BIN_EXE_upkeep"))
    }
}

/// On a host where primaries are stopped instead of frozen.
pub(crate) fn clean_stop() -> Options {
    Options {
        clean_stop: true,
        ..options()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::new_in(up::make_dir().unwrap()).await
    }

    pub(crate) async fn new_in(dir: TempDir) -> Self {
        Self::on(Up::start(dir, options()).await.unwrap(), STANDARD).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let dir = up::make_dir().unwrap();
        Self::on(Up::start(dir, options).await.unwrap(), STANDARD).await
    }

    /// Its database has a hidden standby, which streams.
    pub(crate) async fn with_a_standby() -> Self {
        let up = Up::start(up::make_dir().unwrap(), options()).await;
        let world = Self::on(up.unwrap(), PREMIUM).await;
        world.standby().await;
        world
    }

    /// The same, and its maintenances are failovers.
    pub(crate) async fn that_fails_over() -> Self {
        let mut world = Self::with_a_standby().await;
        world.method = "failover";
        world
    }

    /// Its two releases are these.
    pub(crate) async fn between(sources: &[ReleaseSource; 2]) -> Self {
        Self::between_with(sources, options()).await
    }

    pub(crate) async fn between_with(sources: &[ReleaseSource; 2], options: Options) -> Self {
        let up = Up::start(up::make_dir().unwrap(), options).await.unwrap();
        for (name, source) in RELEASES.iter().zip(sources) {
            let [option, place] = source.options();
            let add = ["releases:add", &option, &place, "--name", name];
            up.run(&add).await.unwrap();
        }
        Self::with_a_database(up, STANDARD).await
    }

    async fn on(up: Up, plan: &str) -> Self {
        let system = installed_dir("15");
        for name in RELEASES {
            let add = ["releases:add", "--system", system.as_str(), "--name", name];
            up.run(&add).await.unwrap();
        }
        Self::with_a_database(up, plan).await
    }

    async fn with_a_database(up: Up, plan: &str) -> Self {
        up.run(&["apps:create", APP]).await.unwrap();
        let create = ["addons:create", plan, "-a", APP, "--release", RELEASES[0]];
        let create = [&create[..], &["--wait"]].concat();
        let database = up.json::<Named>(&create).await.unwrap().name;
        let vars: Vars = up.json(&["config", "-a", APP]).await.unwrap();
        let url = vars.url;
        let method = "changeover";
        Self {
            up,
            database,
            url,
            method,
        }
    }

    /// Begins a maintenance onto the release that the database is not on, and watches it.
    pub(crate) async fn begin(&self) -> Running {
        self.begin_onto(other(&self.release().await))
    }

    pub(crate) fn begin_onto(&self, release: &str) -> Running {
        self.begin_as(&["--method", self.method, "--release", release])
    }

    /// Begins a restart, and watches it.
    pub(crate) fn begin_restart(&self) -> Running {
        self.begin_as(&["--method", "restart"])
    }

    /// Begins a maintenance as these arguments say, and watches it.
    pub(crate) fn begin_as(&self, how: &[&str]) -> Running {
        let run = ["data:maintenances:run", &self.database, "--confirm", APP];
        let run = [&run[..], how, &["--wait", "--json"]].concat();
        self.up.begin(&run).unwrap()
    }

    pub(crate) async fn restart(&self) -> Ending {
        self.ending(self.begin_restart()).await
    }

    pub(crate) async fn change_over(&self) -> Ending {
        let running = self.begin().await;
        self.ending(running).await
    }

    /// Waits for the end of a maintenance, and reads in the history how it ended.
    pub(crate) async fn ending(&self, running: Running) -> Ending {
        self.ending_told(&running.ended().await.unwrap()).await
    }

    /// The same, when the command that watched it has ended: it told what the history tells.
    pub(crate) async fn ending_told(&self, ended: &Ended) -> Ending {
        let ending = self.latest().await;
        let code = match ending.outcome.as_str() {
            "succeeded" if ending.run.fell_back.is_none() => 0,
            "rolled_back" => 1,
            _ => 3,
        };
        assert_eq!(ended.code, Some(code), "{ending:?}: {}", ended.stderr);
        ending
    }

    /// How the latest maintenance ended.
    pub(crate) async fn latest(&self) -> Ending {
        let run = wait_for("a maintenance that has ended", SOON, async || {
            let history = ["data:maintenances:history", &self.database, "--num", "1"];
            // The server may be on its way back.
            let runs = self.up.json::<Vec<MaintenanceRun>>(&history).await;
            runs.ok()?.pop().filter(|run| run.outcome.is_some())
        });
        let run = run.await;
        Ending {
            outcome: run.outcome.clone().unwrap(),
            because: [&run.outcome_because, &run.fell_back]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            run,
        }
    }

    /// Crashes the server where the next maintenance crosses this boundary, and lets nobody start
    /// it again. Comes back when it is dead.
    pub(crate) async fn begin_and_stop_at(&self, step: &str, boundary: &str) -> Running {
        self.up.arm_crash(self.method, step, boundary).unwrap();
        self.stopped_there(self.begin().await).await
    }

    /// The same in a restart.
    pub(crate) async fn begin_restart_and_stop_at(&self, step: &str, boundary: &str) -> Running {
        self.up.arm_crash("restart", step, boundary).unwrap();
        self.stopped_there(self.begin_restart()).await
    }

    async fn stopped_there(&self, running: Running) -> Running {
        self.up.look_away().unwrap();
        wait_until("the server's crash", SOON * 3, async || {
            !self.up.crash_is_armed()
        })
        .await;
        running
    }

    pub(crate) async fn release(&self) -> String {
        self.books().await.release(&self.database).await
    }

    pub(crate) async fn books(&self) -> Books {
        Books::open(&self.up).await
    }

    /// The server that the product's own books call the primary, if it runs.
    pub(crate) async fn primary(&self) -> Option<RunningInstance> {
        let id = self.books().await.primary(&self.database).await;
        self.instances()
            .into_iter()
            .find(|instance| instance.data_dir.as_str().contains(&id))
    }

    /// The running server that is not the primary: the replacement, before the switch.
    pub(crate) async fn replacement(&self) -> Option<RunningInstance> {
        let primary = self.primary().await?;
        self.instances()
            .into_iter()
            .find(|instance| instance.data_dir != primary.data_dir)
    }

    /// The hidden standby, as soon as it stands ready and nothing is done to it any more.
    pub(crate) async fn standby(&self) -> RunningInstance {
        wait_for("a standby that stands ready", BUILT_WITHIN, async || {
            let books = self.books().await;
            let id = books.standby(&self.database).await?;
            let idle = books.unfinished_workflows().await == 0;
            if !idle || self.info("HA Status").await? != "Available" {
                return None;
            }
            let mut all = self.instances().into_iter();
            all.find(|instance| instance.data_dir.as_str().contains(&id))
        })
        .await
    }

    /// A line of `pg:info`.
    async fn info(&self, name: &str) -> Option<String> {
        let values = self.info_of(&self.database, name).await?;
        values.into_iter().next()
    }

    /// The values of a line of another database's `pg:info`.
    pub(crate) async fn info_of(&self, database: &str, name: &str) -> Option<Vec<String>> {
        let info = ["pg:info", database, "-a", APP];
        let shown: Vec<Shown> = self.up.json(&info).await.ok()?;
        let lines = shown.into_iter().next()?.info.into_iter();
        let mut line = lines.filter(|line| line.name == name);
        Some(line.next()?.values)
    }

    /// PostgreSQL servers of databases; not the product's own.
    pub(crate) fn instances(&self) -> Vec<RunningInstance> {
        let mut all = self.up.instances();
        all.retain(|instance| !Books::are_in(&self.up, instance));
        all
    }

    pub(crate) fn dbname(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// A direct connection as superuser, past the endpoint.
    pub(crate) fn direct(&self, instance: &RunningInstance) -> tokio_postgres::Config {
        instance.direct("upkeep", self.dbname())
    }

    /// A new connection of the application.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.url.parse().unwrap()).await.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.up.log());
        }
    }
}

pub(crate) async fn connect(
    config: &tokio_postgres::Config,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Its end is the error of the next statement.
    tokio::spawn(connection);
    Ok(client)
}

pub(crate) fn other(release: &str) -> &'static str {
    if release == RELEASES[0] {
        RELEASES[1]
    } else {
        RELEASES[0]
    }
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Shown {
    info: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    name: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
struct Vars {
    #[serde(rename = "DATABASE_URL")]
    url: String,
}
