//! From the request to promote (the file and the signal) to the first write that an already open
//! session has accepted, tried every 0.2 ms, of a standby that has caught up. No switch by promotion
//! can be shorter than this.

use std::fs::File;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use camino::Utf8PathBuf;
use nix::sys::signal::{Signal, kill};
use tokio::time::sleep;
use tokio_postgres::Client;
use upkeep_testkit::load::Config;
use upkeep_testkit::postgres::ThrowAway;

use super::{pause, session, settings, under_load};

const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(60);
const PROMOTED_WITHIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(in crate::bench) struct Promotion {
    pub(super) primary: ThrowAway,
    pub(super) bin_dir: Utf8PathBuf,
    pub(super) shared_buffers: String,
}

impl Promotion {
    /// Promotes a new standby, and throws it away.
    pub(super) async fn measure(&self, load: Config) -> Result<f64> {
        let settings = settings(&self.shared_buffers);
        let standby = under_load(&self.primary, load, async || {
            Ok(self.primary.standby(&self.bin_dir, &settings).await?)
        });
        let standby = standby.await?;
        let (old, new) = (session(&self.primary).await?, session(&standby).await?);
        old.batch_execute("CHECKPOINT").await?;
        old.batch_execute("CHECKPOINT").await?;
        wait_until_caught_up(&old, &new).await?;
        new.batch_execute("CHECKPOINT").await?;
        promote(&standby, &new).await
    }
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
        pause()?;
    }
    Ok(asked.elapsed().as_secs_f64() * 1_000.0)
}
