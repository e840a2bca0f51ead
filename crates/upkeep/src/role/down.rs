//! `upkeep down`: ends the roles of a directory and stops its PostgreSQL instances, the private one
//! last. Nothing is removed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use tokio::time::{Instant, sleep};
use upkeep_agent::Agent;
use upkeep_domain::host_command::{Answer, HostError, HostQuery};
use upkeep_domain::refusal::RefusalKind;

use super::agent::agent_config;
use super::process::{holder, lock};
use crate::config::Config;

const END_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was stopped.
#[derive(Debug, serde::Serialize)]
pub struct Stopped {
    pub instances: usize,
}

pub async fn run(dir: &Utf8Path) -> Result<Stopped> {
    let config = Config::read(&Config::file(&super::up::absolute(dir)?))?;
    // `up` first: it would start the others again.
    for role in ["up", "server", "endpoint", "agent"] {
        end(&config, role).await?;
    }
    // Nobody else may be the agent while we are.
    let _lock = lock(&config.pid_file("agent"))?;
    let agent = Agent::open(agent_config(&config))
        .await
        .context("open the agent's directory")?;
    let Answer::Instances { instances } = agent.query(HostQuery::Instances).await? else {
        bail!("the agent does not list its instances");
    };
    let (state, databases): (Vec<_>, Vec<_>) = instances
        .into_iter()
        .partition(|id| *id == config.state_instance);
    let (mut stopped, mut left) = (0, Vec::new());
    // One that cannot be stopped does not keep the others running.
    for instance in databases.into_iter().chain(state) {
        match agent.stop(instance).await {
            Ok(()) => stopped += 1,
            // A copy that was never finished has no server.
            Err(HostError::Refused { refusal }) if refusal.kind == RefusalKind::NotReady => {}
            Err(error) => left.push(format!("instance `{instance}` is left as it is: {error}")),
        }
    }
    if !left.is_empty() {
        bail!(
            "{stopped} of {} instances are stopped; {}\nhint: see to what is in the way, then run `upkeep down` again",
            stopped + left.len(),
            left.join("; ")
        );
    }
    Ok(Stopped { instances: stopped })
}

/// Ends the role's process, if it has one, and waits until it is gone.
async fn end(config: &Config, role: &str) -> Result<()> {
    let file = config.pid_file(role);
    let Some(pid) = holder(&file) else {
        return Ok(());
    };
    match kill(pid, Signal::SIGTERM) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(error).with_context(|| format!("end the {role} (pid {pid})")),
    }
    let until = Instant::now() + END_WITHIN;
    while holder(&file).is_some() {
        if Instant::now() > until {
            bail!("the {role} (pid {pid}) does not end");
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
