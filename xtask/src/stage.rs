//! What demo and benchmarks play on: the real binary with an app, its database on one of several
//! releases, filled through the endpoint, and a load that runs steadily.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};
use upkeep_testkit::load::{Config, Load, pgbench};
use upkeep_testkit::releases_source::{ReleaseSource, checkout};
use upkeep_testkit::up::{self, MaintenanceRun, Options, Running, Up};

use crate::program::Program;

const APP: &str = "demo";
const STEADY_WITHIN: Duration = Duration::from_secs(60);
/// Short, because it is waited for at every failover.
const SOAK: Duration = Duration::from_secs(5);
/// A large database is copied for that.
const STANDBY_WITHIN: Duration = Duration::from_secs(600);
const STEADY_FOR_MS: u64 = 2_000;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Builds the product as it is shipped.
pub(crate) fn build() -> Result<Utf8PathBuf> {
    eprintln!("building upkeep");
    let args = [
        "build",
        "--release",
        "--package",
        "upkeep",
        "--target-dir",
        "target",
    ];
    Program::new("cargo", &args).run()?;
    Ok(checkout().join("target/release/upkeep"))
}

/// A release in the store of the running product.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) bin_dir: Utf8PathBuf,
}

/// How a maintenance is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Method {
    Changeover,
    Restart,
    Failover,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Changeover => "changeover",
            Self::Restart => "restart",
            Self::Failover => "failover",
        }
    }

    fn plan(self) -> &'static str {
        match self {
            Self::Changeover | Self::Restart => "heroku-postgresql:standard-0",
            Self::Failover => "heroku-postgresql:premium-0",
        }
    }
}

/// A running product without a database.
pub(crate) struct Stage {
    up: Up,
}

/// The database on the stage.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pub(crate) name: String,
    /// What an application would be given.
    pub(crate) url: String,
}

impl Stage {
    pub(crate) async fn set(binary: Utf8PathBuf) -> Result<Self> {
        let options = Options {
            soak: Some(SOAK),
            ..Options::new(binary)
        };
        let up = async { Ok(Up::start(up::make_dir()?, options).await?) };
        let up = unless_interrupted(up).await?;
        eprintln!("upkeep is up: {}, databases at {}", up.url(), up.endpoint());
        Ok(Self { up })
    }

    pub(crate) async fn add_release(&self, name: &str, source: &ReleaseSource) -> Result<Release> {
        let [option, place] = source.options();
        let args = ["releases:add", &option, &place, "--name", name];
        let release: Release = self.up.json(&args).await?;
        if release.version != source.version {
            bail!("`{name}` is {}, not {}", release.version, source.version);
        }
        eprintln!(
            "release {} added: PostgreSQL {}",
            release.name, release.version
        );
        Ok(release)
    }

    /// Creates an app with a database and fills it with TPC-B tables.
    pub(crate) async fn create_database(
        &self,
        method: Method,
        release: &str,
        scale: u32,
    ) -> Result<Database> {
        #[derive(Deserialize)]
        struct Addon {
            name: String,
        }
        #[derive(Deserialize)]
        struct ConfigVars {
            #[serde(rename = "DATABASE_URL")]
            url: String,
        }
        self.up.run(&["apps:create", APP]).await?;
        let create = [
            "addons:create",
            method.plan(),
            "-a",
            APP,
            "--release",
            release,
            "--wait",
        ];
        let addon: Addon = self.up.json(&create).await?;
        let vars: ConfigVars = self.up.json(&["config", "-a", APP]).await?;
        eprintln!("database {} created on {release}", addon.name);
        fill(&vars.url, scale).await?;
        Ok(Database {
            name: addon.name,
            url: vars.url,
        })
    }

    /// Creates a follower of the app's database.
    pub(crate) async fn create_follower(&self) -> Result<Database> {
        #[derive(Deserialize)]
        struct Addon {
            name: String,
            config_vars: Vec<String>,
        }
        let plan = Method::Changeover.plan();
        let create = [
            "addons:create",
            plan,
            "-a",
            APP,
            "--wait",
            "--",
            "--follow",
            "DATABASE",
        ];
        let addon: Addon = self.up.json(&create).await?;
        let vars: BTreeMap<String, String> = self.up.json(&["config", "-a", APP]).await?;
        let var = addon.config_vars.first().context("it has a config var")?;
        let url = vars.get(var).context("its config var has a value")?;
        eprintln!("follower {} created", addon.name);
        Ok(Database {
            name: addon.name,
            url: url.clone(),
        })
    }

    /// Waits until the database can be maintained by this method.
    pub(crate) async fn ready(&self, database: &Database, method: Method) -> Result<()> {
        if method != Method::Failover {
            return Ok(());
        }
        let deadline = Instant::now() + STANDBY_WITHIN;
        while !self.has_a_standby(database).await? {
            if Instant::now() > deadline {
                bail!("no standby of {} has become ready", database.name);
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    async fn has_a_standby(&self, database: &Database) -> Result<bool> {
        #[derive(Deserialize)]
        struct Shown {
            info: Vec<Line>,
        }
        #[derive(Deserialize)]
        struct Line {
            name: String,
            values: Vec<String>,
        }
        let info = ["pg:info", &database.name, "-a", APP];
        let shown: Vec<Shown> = self.up.json(&info).await?;
        let mut lines = shown.iter().flat_map(|shown| &shown.info);
        let ready = |line: &Line| line.name == "HA Status" && line.values == ["Available"];
        Ok(lines.any(ready))
    }

    /// Begins a maintenance, as a person would.
    pub(crate) fn maintain(
        &self,
        database: &Database,
        method: Method,
        release: &str,
    ) -> Result<Running> {
        let run = [
            "data:maintenances:run",
            &database.name,
            "-a",
            APP,
            "--confirm",
            APP,
        ];
        let method = method.as_str();
        let how = ["--method", method, "--release", release, "--wait", "--json"];
        Ok(self.up.begin(&[&run[..], &how].concat())?)
    }

    /// A superuser's session past the endpoint, at the one server that has this database.
    pub(crate) async fn superuser(&self, database: &Database) -> Result<Client> {
        let dbname = database.url.rsplit('/').next().unwrap_or_default();
        for instance in self.up.instances() {
            let connected = instance.direct("upkeep", dbname).connect(NoTls).await;
            if let Ok((client, connection)) = connected {
                tokio::spawn(connection);
                return Ok(client);
            }
        }
        bail!("no server has the database {}", database.name)
    }

    /// Takes everything down; if that fails, what is left is killed all the same.
    async fn strike(self, keep: bool) -> Result<()> {
        if keep {
            let dir = self.up.down_keeping_files().await?;
            eprintln!("everything is stopped; its files are kept in {dir}");
        } else {
            self.up.down().await.context("take upkeep down")?;
            eprintln!("everything is stopped; no process and no file is left");
        }
        Ok(())
    }

    /// Plays `piece`, then takes everything down, however the piece ended.
    pub(crate) async fn play<T>(
        self,
        keep: bool,
        piece: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let played = unless_interrupted(piece(&self)).await;
        if played.is_err() {
            for line in self.up.log().lines() {
                eprintln!("  | {line}");
            }
        }
        let struck = self.strike(keep).await;
        match (played, struck) {
            (Ok(result), Ok(())) => Ok(result),
            (Ok(_), Err(error)) => Err(error),
            (Err(error), struck) => {
                if let Err(also) = struck {
                    eprintln!("error: {also:#}");
                }
                Err(error)
            }
        }
    }
}

/// Ends `work` by dropping it when Ctrl-C is pressed or when we are told to end.
async fn unless_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminated.recv() => bail!("told to end"),
    }
}

/// Fills the database through the endpoint, saying now and then how far it is.
pub(crate) async fn fill(url: &str, scale: u32) -> Result<()> {
    let mut tenths = 0;
    pgbench::fill(url, scale, |progress| {
        let now = progress.rows * 10 / progress.rows_total;
        if now > tenths && now.is_multiple_of(5) {
            eprintln!("filling with pgbench's tables: {} %", now * 10);
        }
        tenths = now;
    })
    .await?;
    Ok(())
}

/// Starts a load and waits until all its clients are connected and work.
pub(crate) async fn start_load(config: Config, url: &str) -> Result<Load> {
    let load = Load::start(config, url).await?;
    let deadline = Instant::now() + STEADY_WITHIN;
    let mut connected_ms = None;
    loop {
        let now = load.snapshot();
        if connected_ms.is_none() && load.all_connected() {
            connected_ms = Some(now.elapsed_ms);
            load.measure_gaps_from_now();
        }
        if connected_ms.is_some_and(|ms| now.elapsed_ms > ms + STEADY_FOR_MS) {
            load.measure_gaps_from_now();
            return Ok(load);
        }
        if Instant::now() > deadline {
            let report = load.stop().await;
            bail!(
                "the load does not run steadily: {}",
                report.broken().join("; ")
            );
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// What `show NAME` says on a fresh connection to `url`.
pub(crate) async fn show(url: &str, name: &str) -> Result<String> {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) = connected.context("connect to the endpoint")?;
    let driver = tokio::spawn(connection);
    let row = client.query_one(&format!("SHOW {name}"), &[]).await;
    let row = row.with_context(|| format!("ask for {name}"))?;
    drop(client);
    driver.await?.context("leave the endpoint")?;
    Ok(row.get(0))
}

/// The minor release that a server behind `url` runs: `15.20` of `15.20 (Debian …)`.
pub(crate) async fn server_version(url: &str) -> Result<String> {
    let said = show(url, "server_version").await?;
    Ok(said.split(' ').next().unwrap_or_default().to_owned())
}

/// A maintenance that did not do what it was run for, as an error.
pub(crate) fn succeeded(run: MaintenanceRun) -> Result<MaintenanceRun> {
    let why = run.outcome_because.as_ref().or(run.fell_back.as_ref());
    if run.outcome.as_deref() == Some("succeeded") && why.is_none() {
        return Ok(run);
    }
    bail!(
        "the maintenance ended with {}: {}",
        run.outcome.as_deref().unwrap_or("no outcome"),
        why.map_or("it does not say why", String::as_str)
    )
}
