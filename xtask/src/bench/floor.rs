//! The floor: what a promotion alone takes on this machine, with nothing of the product in it.
//!
//! A primary and a streaming standby of the same release and size, after the same load by direct
//! connections, caught up and freshly checkpointed; nobody writes, nobody is held. From the request
//! to promote (the file and the signal) to the first write that an already open session has
//! accepted, tried every 0.2 ms. No switch by promotion can be shorter than this.

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeSpec;
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};
use upkeep_testkit::load::Config;
use upkeep_testkit::postgres::ThrowAway;

use crate::stage;

const DATABASE: &str = "postgres";
const PROBE_EVERY: Duration = Duration::from_micros(200);
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);
const PROMOTED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(super) struct Floor {
    primary: ThrowAway,
    bin_dir: Utf8PathBuf,
    shared_buffers: String,
}

impl Floor {
    pub(super) async fn prepare(bin_dir: &Utf8Path, scale: u32, buffers: &str) -> Result<Self> {
        eprintln!("preparing the servers for the floor");
        let primary = ThrowAway::start(bin_dir, &settings(buffers)).await?;
        stage::fill(&primary.url(DATABASE), scale).await?;
        let session = session(&primary).await?;
        session
            .batch_execute("CREATE TABLE floor(at timestamptz)")
            .await?;
        Ok(Self {
            primary,
            bin_dir: bin_dir.to_owned(),
            shared_buffers: buffers.to_owned(),
        })
    }

    /// Promotes a new standby, and throws it away.
    pub(super) async fn measure(&self, config: Config) -> Result<f64> {
        let load = stage::start_load(config, &self.primary.url(DATABASE)).await?;
        let settings = settings(&self.shared_buffers);
        let standby = self.primary.standby(&self.bin_dir, &settings).await?;
        let report = load.stop().await;
        if !report.promise_held() {
            bail!(
                "the floor's own servers failed: {}",
                report.broken().join("; ")
            );
        }
        let (old, new) = (session(&self.primary).await?, session(&standby).await?);
        old.batch_execute("CHECKPOINT").await?;
        old.batch_execute("CHECKPOINT").await?;
        wait_until_caught_up(&old, &new).await?;
        new.batch_execute("CHECKPOINT").await?;
        promote(&standby, &new).await
    }
}

fn settings(shared_buffers: &str) -> [(&str, &str); 3] {
    [
        ("shared_buffers", shared_buffers),
        ("wal_keep_size", "1GB"),
        ("max_wal_size", "4GB"),
    ]
}

async fn session(server: &ThrowAway) -> Result<Client> {
    let connected = server.direct(DATABASE).connect(NoTls).await;
    let (client, connection) = connected.context("connect to a server of the floor")?;
    tokio::spawn(connection);
    Ok(client)
}

async fn wait_until_caught_up(old: &Client, new: &Client) -> Result<()> {
    let goal = "SELECT pg_current_wal_flush_lsn()::text";
    let goal: String = old.query_one_scalar(goal, &[]).await?;
    let reached = format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{goal}', false)");
    let deadline = Instant::now() + CAUGHT_UP_WITHIN;
    while !new.query_one_scalar::<bool, _>(&reached, &[]).await? {
        if Instant::now() > deadline {
            bail!("the standby of the floor has not caught up");
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

async fn promote(standby: &ThrowAway, session: &Client) -> Result<f64> {
    let write = session
        .prepare("INSERT INTO floor VALUES (clock_timestamp())")
        .await?;
    let file = standby.data_dir().join("promote");
    let asked = Instant::now();
    File::create(&file).with_context(|| format!("make `{file}`"))?;
    kill(standby.pid(), Signal::SIGUSR1).context("signal the postmaster")?;
    while session.execute(&write, &[]).await.is_err() {
        if asked.elapsed() > PROMOTED_WITHIN {
            bail!("the standby of the floor is not promoted");
        }
        // The runtime's own timers are five times as coarse.
        nix::poll::ppoll(&mut [], Some(TimeSpec::from(PROBE_EVERY)), None)?;
    }
    Ok(asked.elapsed().as_secs_f64() * 1_000.0)
}
