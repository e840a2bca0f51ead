//! The server role: API and engine.

mod backend;
mod crash;
mod views;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use camino::Utf8Path;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use upkeep_agent::client::AgentClient;
use upkeep_domain::plan::Plans;
use upkeep_domain::ports::Random;
use upkeep_endpoint::EndpointClient;
use upkeep_engine::{Boundaries, Engine, Unwatched, World};
use upkeep_server::Services;
use upkeep_store::Store;

use super::doors::Machine;
use super::process::{asked_to_end, lock, log};
use super::up::{agent_client, state_config, token_file};
use crate::config::Config;
use crate::exit::Failure;
use backend::EngineBackend;
use crash::CrashFile;

pub async fn run(config_file: &Utf8Path) -> Result<()> {
    log();
    let config = Config::read(config_file)?;
    // Whoever holds it knows that the former server is dead, and takes its work back at once.
    let _lock = lock(&config.pid_file("server"))?;
    let agent = agent_client(&config)?;
    let store = Store::open(state_config(&config, &agent).await?)
        .await
        .context("open our own state")?;
    store.claim_for_host(config.host).await?;
    let store = Arc::new(store);
    store
        .add_token(Machine.uuid(), &config.owner, &token_sha256(&config)?)
        .await
        .context("record the owner and their token")?;
    let world = world(&config, agent)?;
    need_plans_in_use(&store, &world.plans).await?;
    let engine = Engine::new(Arc::clone(&store), Arc::new(world), &config.owner());
    let listener = TcpListener::bind(&config.listen)
        .await
        .with_context(|| format!("listen for the API on `{}`", config.listen))?;
    let address = config.address_of_databases().to_owned();
    let backend = EngineBackend::new(engine.clone(), store, address, config.owner.clone());
    let services = Services {
        backend: Arc::new(backend),
        random: Arc::new(Machine),
    };
    tracing::info!(listen = config.listen, "the server answers");
    let stop = async {
        // Without signals the role ends with its process, as ever.
        let _ = asked_to_end().await;
    };
    tokio::select! {
        served = upkeep_server::serve(listener, services, stop) => served.context("serve the API"),
        () = engine.run() => Ok(()),
    }
}

/// A database whose plan is not known could be neither shown nor maintained.
async fn need_plans_in_use(store: &Store, plans: &Plans) -> Result<()> {
    for database in store.databases().await.context("read our own state")? {
        if plans.find(&database.plan).is_err() {
            let sentence = format!(
                "the database `{}` is on the plan `{}`, which the table of plans does not have",
                database.name, database.plan
            );
            let refused = Failure::refused(sentence).with_hint("put it back into the table");
            return Err(refused.into());
        }
    }
    Ok(())
}

/// Followers that stream from the new primary already follow it within a second; one whose server is
/// just being started again takes longer.
const FOLLOWERS_WITHIN: Duration = Duration::from_secs(30);

fn world(config: &Config, agent: AgentClient) -> Result<World> {
    Ok(World {
        hosts: Arc::new(agent),
        traffic: Arc::new(
            EndpointClient::new(config.endpoint_socket()).context("reach the endpoint")?,
        ),
        random: Arc::new(Machine),
        credentials: Arc::new(Machine),
        courier: Arc::new(config.courier()?),
        boundaries: boundaries(),
        host: config.host,
        plans: config.read_plans()?,
        policy: config.read_policy()?,
        plan_every: Duration::from_secs(config.plan_every_seconds),
        hold_limits: config.hold.clone(),
        soak: Duration::from_secs(config.soak_seconds),
        followers_within: FOLLOWERS_WITHIN,
        retire_grace: Duration::from_secs(config.retire_grace_seconds),
    })
}

/// Only crash tests set this; see `docs/decisions/`.
fn boundaries() -> Arc<dyn Boundaries> {
    match std::env::var("UPKEEP_CRASH_FILE") {
        Ok(file) => Arc::new(CrashFile::new(file)),
        Err(_) => Arc::new(Unwatched),
    }
}

fn token_sha256(config: &Config) -> Result<[u8; 32]> {
    let file = token_file(config);
    let token = std::fs::read_to_string(&file).with_context(|| format!("read `{file}`"))?;
    Ok(Sha256::digest(token.trim()).into())
}
