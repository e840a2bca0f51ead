//! The private instance that keeps Upkeep's own state: made and started by the code that runs
//! everybody's instances, on a unix socket only.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Config as PgConfig, NoTls};
use upkeep_agent::client::AgentClient;
use upkeep_domain::host_command::{Answer, CommandId, Envelope, Fence, HostCommand, HostQuery};
use upkeep_domain::id::WorkflowId;
use upkeep_domain::instance::{Address, InstanceSettings, Observation, ProcessState};
use upkeep_domain::ports::{Hosts, Random};
use upkeep_domain::release::{Catalogue, ReleaseName};

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::role::doors::Machine;

/// Names another PostgreSQL for our state. A secret: it goes to the server's environment, nowhere else.
pub(super) const STATE_URL: &str = "UPKEEP_STATE_URL";

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const APPLICATION: &str = "upkeep server";
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Small: a few connections, a few megabytes.
const SETTINGS: InstanceSettings = InstanceSettings {
    max_connections: 40,
    shared_buffers_mb: 32,
    wal_keep_size_mb: 0,
    effective_cache_size_mb: None,
    work_mem_mb: None,
};
const SUPERUSER: &str = "upkeep";

pub fn agent(config: &Config) -> Result<AgentClient> {
    AgentClient::new(config.agent_socket()).context("reach the agent")
}

/// Makes it when it is missing, starts it when it is stopped.
pub(super) async fn ensure(config: &Config, agent: &AgentClient) -> Result<()> {
    let instance = config.state_instance;
    let seen = observe(config, agent).await?;
    if seen.process == ProcessState::Absent {
        let release = newest_release(config, agent).await?;
        command(
            config,
            agent,
            HostCommand::CreateInstance {
                instance,
                release,
                settings: SETTINGS,
            },
        )
        .await?;
    }
    if seen.process != ProcessState::Running {
        command(config, agent, HostCommand::StartInstance { instance }).await?;
    }
    Ok(())
}

/// Starts it again whenever it has ended: without it nobody is in command. It is never made anew here:
/// one that has vanished is for a person to look at.
pub(super) async fn keep_running(config: &Config, agent: &AgentClient) -> Infallible {
    loop {
        sleep(LOOK_EVERY).await;
        if let Err(error) = start_if_stopped(config, agent).await {
            tracing::warn!(
                error = format!("{error:#}"),
                "cannot see to the private state instance"
            );
        }
    }
}

async fn start_if_stopped(config: &Config, agent: &AgentClient) -> Result<()> {
    let seen = observe(config, agent).await?;
    if seen.process == ProcessState::Stopped {
        tracing::warn!("the private state instance has ended; starting it again");
        let instance = config.state_instance;
        command(config, agent, HostCommand::StartInstance { instance }).await?;
    }
    Ok(())
}

/// The other PostgreSQL for our state, if one is named.
pub(super) fn elsewhere() -> Result<Option<PgConfig>> {
    let Some(url) = std::env::var_os(STATE_URL) else {
        return Ok(None);
    };
    let to = url.to_str().filter(|url| !url.trim().is_empty());
    // What the parser complains of may be a piece of the password.
    let Some(mut to) = to.and_then(|url| url.parse::<PgConfig>().ok()) else {
        let sentence = format!("`{STATE_URL}` does not name a PostgreSQL");
        let refused = Failure::refused(sentence).with_hint(
            "postgres://role:password@host:port/dbname, with %-codes for characters such as `/`, \
             `@` and `%` in the password",
        );
        return Err(refused.into());
    };
    if to.get_connect_timeout().is_none() {
        to.connect_timeout(CONNECT_WITHIN);
    }
    if to.get_application_name().is_none() {
        to.application_name(APPLICATION);
    }
    Ok(Some(to))
}

/// Whether it lets us in, before anything is begun.
pub(super) async fn reach(elsewhere: &PgConfig) -> Result<()> {
    let connected = timeout(CONNECT_WITHIN, elsewhere.connect(NoTls)).await;
    connected
        .context("it does not answer")
        .and_then(|connected| Ok(connected.map(drop)?))
        .map_err(|error| {
            let sentence = format!("connect to the PostgreSQL that `{STATE_URL}` names: {error:#}");
            Failure::new(Exit::Unreachable, sentence).into()
        })
}

/// How the server connects to the state database.
pub async fn state_config(config: &Config, agent: &AgentClient) -> Result<PgConfig> {
    if let Some(elsewhere) = elsewhere()? {
        return Ok(elsewhere);
    }
    let mut to = PgConfig::new();
    to.user(SUPERUSER)
        .dbname("postgres")
        .application_name(APPLICATION);
    match observe(config, agent).await?.address {
        Some(Address::Unix { directory, port }) => to.host_path(directory).port(port),
        Some(Address::Tcp { host, port }) => to.host(host).port(port),
        None => bail!("the private state instance has no address: is it there? run `upkeep up`"),
    };
    Ok(to)
}

async fn newest_release(config: &Config, agent: &AgentClient) -> Result<ReleaseName> {
    match agent.query(config.host, &HostQuery::Releases).await? {
        Answer::Releases { releases } => Catalogue::new(releases)
            .iter()
            .max_by_key(|release| release.version)
            .map(|release| release.name.clone())
            .context("there is no PostgreSQL release in the store"),
        other => bail!("unexpected answer {other:?}"),
    }
}

async fn observe(config: &Config, agent: &AgentClient) -> Result<Observation> {
    match agent
        .query(
            config.host,
            &HostQuery::Observe {
                instance: config.state_instance,
            },
        )
        .await?
    {
        Answer::Observed { observation } => Ok(*observation),
        other => bail!("unexpected answer {other:?}"),
    }
}

async fn command(config: &Config, agent: &AgentClient, command: HostCommand) -> Result<()> {
    let id = CommandId {
        workflow: WorkflowId(Machine.uuid()),
        step: "up".to_owned(),
        visit: 1,
        part: 0,
    };
    agent
        .command(
            config.host,
            &Envelope {
                id,
                fence: Fence(0),
                command,
            },
        )
        .await?;
    Ok(())
}
