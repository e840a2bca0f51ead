//! `upkeep up`: every role on this machine, as separate processes, with an embedded default for all.
//!
//! It starts the roles and starts again those that end. It is the parent of nothing that matters:
//! PostgreSQL instances outlive it, and the next `up` finds them.

mod first_time;
mod folders;
mod state;
mod supervise;

use std::convert::Infallible;

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use upkeep_domain::instance::FenceMeans;

use super::process::{asked_to_end, lock};
use crate::config::Config;
use folders::Folders;
use supervise::Roles;

/// What `upkeep up` was asked for; what was not said is as the last time.
#[derive(Clone, Debug)]
pub struct UpOptions {
    pub dir: Utf8PathBuf,
    pub listen: Option<String>,
    pub endpoint_listen: Option<String>,
    pub advertise: Option<String>,
    pub run_as: Option<String>,
    pub plans: Option<Utf8PathBuf>,
    pub policy: Option<Utf8PathBuf>,
    pub notices: Option<Utf8PathBuf>,
    pub owner: Option<String>,
    pub plan_every_seconds: Option<u64>,
    pub soak_seconds: Option<u64>,
    pub retire_grace_seconds: Option<u64>,
    pub fence: Option<FenceMeans>,
}

/// Where everything is, once it runs.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Running {
    pub url: String,
    pub endpoint: String,
    pub dir: Utf8PathBuf,
    /// What holds besides, as it would be typed.
    pub options: String,
}

/// Runs until asked to end. `ready` is called once, when every role answers.
pub async fn run(options: &UpOptions, ready: impl FnOnce(&Running)) -> Result<()> {
    let elsewhere = state::elsewhere()?;
    if let Some(elsewhere) = &elsewhere {
        state::reach(elsewhere).await?;
    }
    let folders = Folders::make(&options.dir)?;
    let dir = folders.dir().to_owned();
    // Before any file is written: a second `up` here must not turn the first one's roles elsewhere.
    let _lock = lock(&folders.lock_file()).with_context(|| format!("run in `{dir}`"))?;
    let config = first_time::configure(options, dir, elsewhere.is_some())?;
    folders.keep();
    supervise::adopt_orphans()?;
    let mut roles = Roles::new(&config)?;
    let started = start(&config, &mut roles).await;
    match started {
        Ok(running) => {
            ready(&running);
            tokio::select! {
                ended = asked_to_end() => ended?,
                never = roles.supervise() => match never? {},
                never = keep_state_running(&config) => match never? {},
            }
            roles.end().await;
            Ok(())
        }
        Err(error) => {
            roles.end().await;
            Err(error)
        }
    }
}

async fn keep_state_running(config: &Config) -> Result<Infallible> {
    if config.state_elsewhere {
        std::future::pending::<()>().await;
    }
    let agent = state::agent(config)?;
    Ok(state::keep_running(config, &agent).await)
}

async fn start(config: &Config, roles: &mut Roles) -> Result<Running> {
    roles.start("agent").await?;
    let agent = state::agent(config)?;
    first_time::add_installed_releases(config, &agent).await?;
    if !config.state_elsewhere {
        state::ensure(config, &agent)
            .await
            .context("start the private state instance")?;
    }
    roles.start("endpoint").await?;
    roles.start("server").await?;
    Ok(Running {
        url: format!("http://{}", config.listen),
        endpoint: config.address_of_databases().to_owned(),
        dir: config.dir.clone(),
        options: options_of(config),
    })
}

fn options_of(config: &Config) -> String {
    let fence = match config.fence {
        FenceMeans::Freeze => "freeze",
        FenceMeans::CleanStop => "clean-stop",
    };
    let held = format!(
        "--plan-every-seconds {} --soak-seconds {} --retire-grace-seconds {} --fence {fence}",
        config.plan_every_seconds, config.soak_seconds, config.retire_grace_seconds
    );
    let run_as = config.run_as.as_ref();
    let run_as = run_as.map(|user| format!("--run-as {user}"));
    let plans = config.plans.as_ref();
    let plans = plans.map(|file| format!("--plans {file}"));
    let policy = config.policy.as_ref();
    let policy = policy.map(|file| format!("--policy {file}"));
    let notices = config.notices.as_ref();
    let notices = notices.map(|file| format!("--notices {file}"));
    let files = plans.into_iter().chain(policy).chain(notices);
    let owner = format!("--owner {}", config.owner);
    let said = [held, owner].into_iter();
    let all: Vec<String> = said.chain(run_as).chain(files).collect();
    all.join(" ")
}

pub use first_time::token_file;
pub use state::{agent as agent_client, state_config};

/// The absolute form of a directory that may not exist yet.
pub(super) fn absolute(dir: &Utf8Path) -> Result<Utf8PathBuf> {
    let absolute = std::path::absolute(dir).with_context(|| format!("find `{dir}`"))?;
    Utf8PathBuf::from_path_buf(absolute)
        .map_err(|path| anyhow::anyhow!("`{}` is not UTF-8", path.display()))
}
