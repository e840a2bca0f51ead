//! The main thing the product does, on real servers under load, with a live view and a verdict on
//! what the clients felt.

mod followers;
mod live;
mod verdict;
mod waiting;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use tokio::time::sleep;
use upkeep_testkit::load::{Config, pgbench};
use upkeep_testkit::releases_source;
use upkeep_testkit::up::MaintenanceRun;

use crate::figures::megabytes;
use crate::setup;
use crate::stage::{self, Method, Stage};
use followers::Followers;
use verdict::Verdict;
use waiting::Waiting;

/// So that the last clients of the load have left the switch behind them.
const LOAD_AFTERWARDS: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// What is shown: a method, or a changeover that two followers with readers come along with
    #[arg(long, value_enum, default_value_t = Shown::Changeover)]
    method: Shown,
    /// Release that the database begins with
    #[arg(long, default_value = setup::OLDER)]
    from: String,
    /// Release that it runs on afterwards [default: 15.20; of a restart the one that it begins with]
    #[arg(long)]
    to: Option<String>,
    /// Size of the database: 15 MB each
    #[arg(long, default_value_t = 14)]
    scale: u32,
    /// TPC-B transactions per second; 0 is as fast as they go
    #[arg(long, default_value_t = 400.0)]
    tps: f64,
    /// Print the verdict as JSON, on the last line of stdout
    #[arg(long)]
    json: bool,
    /// Keep the files of the run
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    Changeover,
    Restart,
    Failover,
    Follower,
}

impl Shown {
    fn method(self) -> Method {
        match self {
            Self::Changeover | Self::Follower => Method::Changeover,
            Self::Restart => Method::Restart,
            Self::Failover => Method::Failover,
        }
    }
}

impl Demo {
    /// Succeeds only if the promise held.
    pub(crate) async fn run(&self) -> Result<ExitCode> {
        setup::bring([self.from.as_str(), self.to()])?;
        let stage = Stage::set(stage::build()?).await?;
        let verdict = stage
            .play(self.keep, async |stage| self.perform(stage).await)
            .await?;
        if self.json {
            println!("{}", serde_json::to_string(&verdict)?);
        } else {
            print!("{verdict}");
        }
        Ok(if verdict.promise_held {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn to(&self) -> &str {
        match (&self.to, self.method.method()) {
            (Some(to), _) => to,
            (None, Method::Changeover | Method::Failover) => setup::NEWER,
            (None, Method::Restart) => &self.from,
        }
    }

    async fn perform(&self, stage: &Stage) -> Result<Verdict> {
        let method = self.method.method();
        let from = releases_source::find(&self.from)?;
        let to = releases_source::find(self.to())?;
        let from = stage
            .add_release(&format!("demo-{}", self.from), &from)
            .await?;
        let to = if method == Method::Restart && to.version == from.version {
            from.clone()
        } else {
            let name = format!("demo-{}-next", self.to());
            stage.add_release(&name, &to).await?
        };
        let database = stage
            .create_database(method, &from.name, self.scale)
            .await?;
        let size = pgbench::size_bytes(&database.url).await?;
        let release_before = stage::server_version(&database.url).await?;
        let waiting = match method {
            Method::Changeover | Method::Failover => None,
            Method::Restart => Some(Waiting::set(stage, &database).await?),
        };

        stage.ready(&database, method).await?;
        let followers = match self.method {
            Shown::Follower => Some(Followers::create(stage).await?),
            _ => None,
        };
        let config = self.load();
        eprintln!(
            "the database has {}; load from {} sessions",
            megabytes(size),
            config.sessions()
        );
        let sessions = config.sessions();
        let load = stage::start_load(config, &database.url).await?;
        let readers = match &followers {
            Some(followers) => Some(followers.read().await?),
            None => None,
        };
        let mut running = stage.maintain(&database, method, &to.name)?;
        let timeline = live::show(&load, &mut running).await;
        let run: MaintenanceRun = running.json().await?;
        let followed = match (followers, readers) {
            (Some(followers), Some(readers)) => {
                Some(followers.come_along(stage, readers, &to).await?)
            }
            _ => None,
        };
        sleep(LOAD_AFTERWARDS).await;
        let report = load.stop().await;

        let release_after = stage::server_version(&database.url).await?;
        let waited_in_vain = match waiting {
            Some(waiting) => waiting.in_vain(&database).await?,
            None => None,
        };
        Ok(Verdict::new(verdict::Seen {
            method,
            followed,
            waited_in_vain,
            size_bytes: size,
            sessions,
            release_before,
            release_after,
            release_wanted: to.version,
            gaps: timeline.place(&report.gaps),
            run,
            report,
        }))
    }

    fn load(&self) -> Config {
        let config = Config::default();
        Config {
            writer_rate: (self.tps > 0.0).then(|| self.tps / f64::from(config.writers)),
            ..config
        }
    }
}
