//! The main thing the product does, on real servers under load, with a live view and a verdict on
//! what the clients felt.

mod live;
mod verdict;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::time::sleep;
use upkeep_testkit::load::{Config, pgbench};
use upkeep_testkit::releases_source;
use upkeep_testkit::up::MaintenanceRun;

use crate::figures::megabytes;
use crate::setup;
use crate::stage::{self, Stage};
use verdict::Verdict;

/// So that the last clients of the load have left the switch behind them.
const LOAD_AFTERWARDS: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Release that the database begins with
    #[arg(long, default_value = setup::OLDER)]
    from: String,
    /// Release that it changes over to
    #[arg(long, default_value = setup::NEWER)]
    to: String,
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

impl Demo {
    /// Succeeds only if the promise held.
    pub(crate) async fn run(&self) -> Result<ExitCode> {
        setup::bring([self.from.as_str(), self.to.as_str()])?;
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

    async fn perform(&self, stage: &Stage) -> Result<Verdict> {
        let from = releases_source::find(&self.from)?;
        let to = releases_source::find(&self.to)?;
        let from = stage
            .add_release(&format!("demo-{}", self.from), &from)
            .await?;
        let to = stage
            .add_release(&format!("demo-{}-next", self.to), &to)
            .await?;
        let database = stage.create_database(&from.name, self.scale).await?;
        let size = pgbench::size_bytes(&database.url).await?;
        let release_before = stage::server_version(&database.url).await?;

        let config = self.load();
        eprintln!(
            "the database has {}; load from {} sessions",
            megabytes(size),
            config.sessions()
        );
        let sessions = config.sessions();
        let load = stage::start_load(config, &database.url).await?;
        let mut running = stage.change_over(&database, &to.name)?;
        let timeline = live::show(&load, &mut running).await;
        let run: MaintenanceRun = running.json().await?;
        sleep(LOAD_AFTERWARDS).await;
        let report = load.stop().await;

        let release_after = stage::server_version(&database.url).await?;
        Ok(Verdict::new(verdict::Seen {
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
