//! The floor of each method: what PostgreSQL alone takes for it on this machine, with nothing of the
//! product in it. Throw-away servers of the same release, size and settings, after the same load by
//! direct connections, freshly checkpointed; nobody writes, nobody is held.

mod promotion;
mod stop_and_start;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;
use nix::sys::time::TimeSpec;
use tokio_postgres::{Client, NoTls};
use upkeep_testkit::load::Config;
use upkeep_testkit::postgres::ThrowAway;

use crate::stage::{self, Method};
use promotion::Promotion;
use stop_and_start::StopAndStart;

const DATABASE: &str = "postgres";
const PROBE_EVERY: Duration = Duration::from_micros(200);

pub(super) enum Floor {
    Promotion(Promotion),
    StopAndStart(StopAndStart),
}

impl Floor {
    pub(super) async fn prepare(
        method: Method,
        bin_dir: &Utf8Path,
        scale: u32,
        buffers: &str,
    ) -> Result<Self> {
        eprintln!("preparing the servers for the floor");
        let server = ThrowAway::start(bin_dir, &settings(buffers)).await?;
        stage::fill(&server.url(DATABASE), scale).await?;
        let table = "CREATE TABLE floor(at timestamptz)";
        session(&server).await?.batch_execute(table).await?;
        let bin_dir = bin_dir.to_owned();
        Ok(match method {
            Method::Changeover | Method::Failover => Self::Promotion(Promotion {
                primary: server,
                bin_dir,
                shared_buffers: buffers.to_owned(),
            }),
            Method::Restart => Self::StopAndStart(StopAndStart { server, bin_dir }),
        })
    }

    pub(super) async fn measure(&mut self, load: Config) -> Result<f64> {
        match self {
            Self::Promotion(promotion) => promotion.measure(load).await,
            Self::StopAndStart(stop_and_start) => stop_and_start.measure(load).await,
        }
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

/// The load that the product had, on a server that is not the product's.
async fn under_load<T>(
    server: &ThrowAway,
    load: Config,
    meanwhile: impl AsyncFnOnce() -> Result<T>,
) -> Result<T> {
    let load = stage::start_load(load, &server.url(DATABASE)).await?;
    let done = meanwhile().await;
    let report = load.stop().await;
    if !report.promise_held() {
        bail!(
            "the floor's own servers failed: {}",
            report.broken().join("; ")
        );
    }
    done
}

/// The runtime's own timers are five times as coarse.
fn pause() -> Result<()> {
    nix::poll::ppoll(&mut [], Some(TimeSpec::from(PROBE_EVERY)), None)?;
    Ok(())
}
