//! Maintenances one after the other, each under load; after each, the floor of its method.
//!
//! Changeovers and failovers go first to a newer minor release and then back and forth between two builds of it;
//! restarts stay on the release that they are on.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use tokio::time::sleep;
use upkeep_testkit::load::{Config, pgbench};
use upkeep_testkit::releases_source;
use upkeep_testkit::up::MaintenanceRun;

use super::floor::Floor;
use super::summary::{Sample, Summary};
use crate::figures::millis;
use crate::setup;
use crate::stage::{self, Database, Method, Stage};
use crate::timeline::{Timeline, switch_gap_ms};

const LOAD_AFTERWARDS: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// Size of the database: 15 MB each
    #[arg(long, default_value_t = 70)]
    scale: u32,
    /// TPC-B transactions per second of all eight clients; 0 is as fast as they go
    #[arg(long, default_value_t = 400.0)]
    tps: f64,
    /// Print the result as JSON, on the last line of stdout
    #[arg(long)]
    json: bool,
}

/// A row of maintenances by one method.
pub(super) struct Row {
    pub(super) method: Method,
    pub(super) options: Options,
}

impl Row {
    pub(super) async fn run(self) -> Result<()> {
        setup::bring([setup::OLDER, setup::NEWER])?;
        let stage = Stage::set(stage::build()?).await?;
        let Options { scale, tps, .. } = self.options;
        let mut summary = Summary::new(self.method, scale, tps);
        let measure = async |stage: &Stage| self.measure(stage, &mut summary).await;
        let measured = stage.play(false, measure).await;
        // What was measured before something went wrong is worth reading too.
        if self.options.json {
            println!("{}", serde_json::to_string(&summary.figures())?);
        } else {
            print!("{}", summary.figures());
        }
        measured?;
        if !summary.promise_held() {
            bail!("the promise was broken");
        }
        Ok(())
    }

    async fn measure(&self, stage: &Stage, summary: &mut Summary) -> Result<()> {
        let older = releases_source::find(setup::OLDER)?;
        let newer = releases_source::find(setup::NEWER)?;
        let first = stage.add_release("bench-first", &older).await?;
        let targets = match self.method {
            Method::Changeover | Method::Failover => vec![
                stage.add_release("bench-a", &newer).await?,
                stage.add_release("bench-b", &newer).await?,
            ],
            Method::Restart => vec![first.clone()],
        };
        let Options { runs, scale, .. } = self.options;
        let database = stage
            .create_database(self.method, &first.name, scale)
            .await?;
        summary.size_bytes = pgbench::size_bytes(&database.url).await?;
        let buffers = stage::show(&database.url, "shared_buffers").await?;
        let bin_dir = &targets[0].bin_dir;
        let mut floor = Floor::prepare(self.method, bin_dir, scale, &buffers).await?;
        for run in 0..runs {
            let target = &targets[run % targets.len()];
            let mut sample = self.maintain(stage, &database, &target.name).await?;
            sample.floor_ms = floor.measure(self.load()).await?;
            eprintln!(
                "run {:>2} of {}: write gap {}, in the switch {}, floor {}, held {}",
                run + 1,
                runs,
                millis(sample.write_gap_ms),
                sample.switch_gap_ms.map_or("less".to_owned(), millis),
                millis(sample.floor_ms),
                sample.held_ms.map_or("unknown".to_owned(), millis),
            );
            summary.samples.push(sample);
        }
        Ok(())
    }

    async fn maintain(&self, stage: &Stage, database: &Database, to: &str) -> Result<Sample> {
        stage.ready(database, self.method).await?;
        let load = stage::start_load(self.load(), &database.url).await?;
        let mut running = stage.maintain(database, self.method, to)?;
        let mut timeline = Timeline::default();
        while let Some(line) = running.heard().await {
            timeline.heard(&line, load.snapshot().elapsed_ms);
        }
        timeline.ended(load.snapshot().elapsed_ms);
        let run: MaintenanceRun = running.json().await?;
        sleep(LOAD_AFTERWARDS).await;
        let report = load.stop().await;
        let run = stage::succeeded(run)?;
        let felt = run.felt.as_ref();
        let gaps = timeline.place(&report.gaps);
        Ok(Sample {
            write_gap_ms: report.longest_write_gap_ms,
            switch_gap_ms: switch_gap_ms(&gaps),
            gaps,
            floor_ms: 0.0,
            held_ms: felt.map(|felt| felt.held_ms),
            endpoint_gap_ms: felt.and_then(|felt| felt.longest_write_gap_ms),
            commits_acknowledged: report.commits_acknowledged,
            commits_lost: report.commits_lost,
            statements_failed: report.statements_failed,
            connections_dropped: report.connections_dropped,
            broken: report.broken(),
            tps: report
                .tpcb
                .map(|tpcb| tpcb.tps)
                .context("there were writers")?,
            steps_ms: run.steps_ms,
        })
    }

    /// Eight TPC-B clients and a ledger that writes once in a millisecond.
    fn load(&self) -> Config {
        let (writers, tps) = (8, self.options.tps);
        Config {
            writers,
            writer_rate: (tps > 0.0).then(|| tps / f64::from(writers)),
            ledger_clients: 1,
            ledger_rate: 1_000.0,
            special: false,
            ..Config::default()
        }
    }
}
