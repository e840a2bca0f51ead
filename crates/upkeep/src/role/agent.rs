//! The agent role: PostgreSQL on this host.

use anyhow::{Context, Result};
use camino::Utf8Path;
use upkeep_agent::{Agent, AgentConfig};

use super::process::{asked_to_end, listen_unix, lock, log};
use crate::config::Config;

pub async fn run(config_file: &Utf8Path) -> Result<()> {
    log();
    let config = Config::read(config_file)?;
    let _lock = lock(&config.pid_file("agent"))?;
    let agent = Agent::open(agent_config(&config))
        .await
        .context("open the agent's directory")?;
    let socket = config.agent_socket();
    let control = listen_unix(&socket)?;
    tracing::info!(host = %config.host, "the agent takes commands");
    tokio::select! {
        served = upkeep_agent::serve(agent, control) => served.context("serve the control socket"),
        ended = asked_to_end() => ended,
    }
}

/// What the agent of this machine is given.
pub fn agent_config(config: &Config) -> AgentConfig {
    AgentConfig {
        dir: config.agent_dir().into(),
        run_as_user: config.run_as.clone(),
        host: config.host,
        fence: config.fence,
    }
}
