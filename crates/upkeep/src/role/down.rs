//! `upkeep down`: ends the roles of a directory and stops its PostgreSQL instances, the private one
//! last. Nothing is removed.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use tokio::time::{Instant, sleep};
use upkeep_agent::Agent;
use upkeep_domain::host_command::{Answer, HostError, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::ProcessState;
use upkeep_domain::refusal::RefusalKind;

use super::agent::agent_config;
use super::process::{holder, lock};
use crate::config::Config;
use crate::exit::{Exit, Failure};

const END_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was stopped: what did not run is not counted.
#[derive(Debug, serde::Serialize)]
pub struct Stopped {
    pub dir: Utf8PathBuf,
    pub roles: usize,
    pub instances: usize,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.roles, self.instances) {
            (0, 0) => write!(f, "Nothing runs in `{}`.", self.dir),
            (_, 1) => f.write_str("Stopped, with 1 PostgreSQL instance."),
            (_, instances) => write!(f, "Stopped, with {instances} PostgreSQL instances."),
        }
    }
}

pub async fn run(dir: &Utf8Path) -> Result<Stopped> {
    let dir = super::up::absolute(dir)?;
    let file = Config::file(&dir);
    if !file.exists() {
        let refused = Failure::refused(format!("`upkeep up` has not run in `{dir}`"))
            .with_hint("--dir or UPKEEP_DIR says where it has");
        return Err(refused.into());
    }
    let config = Config::read(&file)?;
    let mut roles = 0;
    // `up` first: it would start the others again.
    for role in ["up", "server", "endpoint", "agent"] {
        roles += usize::from(end(&config, role).await?);
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
        match stop(&agent, instance).await {
            Ok(ran) => stopped += usize::from(ran),
            // A copy that was never finished has no server.
            Err(HostError::Refused { refusal }) if refusal.kind == RefusalKind::NotReady => {}
            Err(error) => left.push(format!("instance `{instance}` is left as it is: {error}")),
        }
    }
    if !left.is_empty() {
        let sentence = format!(
            "{stopped} of {} instances are stopped; {}",
            stopped + left.len(),
            left.join("; ")
        );
        let hint = "see to what is in the way, then run `upkeep down` again";
        return Err(Failure::new(Exit::NotDone, sentence).with_hint(hint).into());
    }
    Ok(Stopped {
        dir,
        roles,
        instances: stopped,
    })
}

/// Whether it ran until now.
async fn stop(agent: &Agent, instance: InstanceId) -> Result<bool, HostError> {
    let seen = agent.query(HostQuery::Observe { instance }).await?;
    let stood = matches!(&seen, Answer::Observed { observation } if observation.process == ProcessState::Stopped);
    agent.stop(instance).await?;
    Ok(!stood)
}

/// Ends the role's process, if it has one, and waits until it is gone. Whether it had one.
async fn end(config: &Config, role: &str) -> Result<bool> {
    let file = config.pid_file(role);
    let Some(pid) = holder(&file) else {
        return Ok(false);
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
    Ok(true)
}
