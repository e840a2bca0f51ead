//! From the signal to stop to the first write that the restarted server has accepted, with the next
//! connection tried every 0.2 ms. No restart can be shorter than this.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use camino::Utf8PathBuf;
use upkeep_testkit::load::Config;
use upkeep_testkit::postgres::ThrowAway;

use super::{pause, session, under_load};

const BACK_WITHIN: Duration = Duration::from_secs(30);

pub(in crate::bench) struct StopAndStart {
    pub(super) server: ThrowAway,
    pub(super) bin_dir: Utf8PathBuf,
}

impl StopAndStart {
    pub(super) async fn measure(&mut self, load: Config) -> Result<f64> {
        under_load(&self.server, load, async || Ok(())).await?;
        let before = session(&self.server).await?;
        before.batch_execute("CHECKPOINT").await?;
        before.batch_execute("CHECKPOINT").await?;
        let asked = Instant::now();
        self.server.restart(&self.bin_dir)?;
        while self.write().await.is_err() {
            if asked.elapsed() > BACK_WITHIN {
                bail!("the server of the floor does not come back");
            }
            pause()?;
        }
        Ok(asked.elapsed().as_secs_f64() * 1_000.0)
    }

    async fn write(&self) -> Result<()> {
        let insert = "INSERT INTO floor VALUES (clock_timestamp())";
        let after = session(&self.server).await?;
        Ok(after.batch_execute(insert).await?)
    }
}
