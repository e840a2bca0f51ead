//! The endpoint role: client traffic of PostgreSQL.

use anyhow::{Context, Result};
use camino::Utf8Path;
use tokio::net::TcpListener;
use upkeep_endpoint::{Endpoint, EndpointConfig};

use super::process::{asked_to_end, listen_unix, lock, log};
use crate::config::Config;

pub async fn run(config_file: &Utf8Path) -> Result<()> {
    log();
    let config = Config::read(config_file)?;
    let _lock = lock(&config.pid_file("endpoint"))?;
    let clients = TcpListener::bind(&config.endpoint_listen)
        .await
        .with_context(|| format!("listen for applications on `{}`", config.endpoint_listen))?;
    let control = listen_unix(&config.endpoint_socket())?;
    let endpoint =
        Endpoint::start(EndpointConfig::new(config.endpoint_dir()), clients, control).await?;
    tracing::info!(
        listen = config.endpoint_listen,
        "the endpoint takes connections"
    );
    endpoint
        .run(async {
            // Without signals the role ends with its process, as ever.
            let _ = asked_to_end().await;
        })
        .await
        .context("run the endpoint")
}
