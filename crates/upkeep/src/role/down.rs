//! `upkeep down`: ends the roles of a directory and stops its PostgreSQL instances, the private one
//! last. Nothing is removed.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::Utf8Path;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};
use upkeep_agent::Agent;
use upkeep_domain::host_command::{Answer, HostQuery};

use super::agent::agent_config;
use super::process::lock;
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
    let mut stopped = 0;
    for instance in databases.into_iter().chain(state) {
        agent
            .stop(instance)
            .await
            .with_context(|| format!("stop instance `{instance}`"))?;
        stopped += 1;
    }
    Ok(Stopped { instances: stopped })
}

/// Ends the role's process, if it has one, and waits until it is gone.
async fn end(config: &Config, role: &str) -> Result<()> {
    let file = config.pid_file(role);
    let Ok(text) = std::fs::read_to_string(&file) else {
        return Ok(());
    };
    let Ok(pid) = text.trim().parse::<i32>() else {
        return Ok(());
    };
    // The lock tells whether the pid is still the role's; a free one means that it has ended.
    if lock_is_free(config, role) {
        return Ok(());
    }
    match kill(Pid::from_raw(pid), Signal::SIGTERM) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => return Err(error).with_context(|| format!("end the {role} (pid {pid})")),
    }
    let until = Instant::now() + END_WITHIN;
    while !lock_is_free(config, role) {
        if Instant::now() > until {
            bail!("the {role} (pid {pid}) does not end");
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn lock_is_free(config: &Config, role: &str) -> bool {
    use nix::fcntl::{Flock, FlockArg};
    std::fs::File::open(config.pid_file(role))
        .is_ok_and(|file| Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok())
}
