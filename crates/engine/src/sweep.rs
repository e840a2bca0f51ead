//! Sweeps: standing truths, compared with the world now and then. No input; nothing to recover.

mod look_ahead;
mod notices;
mod reminders;
mod required;
mod retention;
mod standbys;
mod windows;

use std::collections::BTreeSet;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;
use upkeep_domain::host_command::{Answer, CommandId, Envelope, HostCommand, HostError, HostQuery};
use upkeep_domain::id::{InstanceId, WorkflowId};
use upkeep_domain::instance::{Observation, ProcessState};
use upkeep_domain::ports::TrafficError;
use upkeep_domain::refusal::Refusal;
use upkeep_domain::route::{Access, Route};
use upkeep_store::{Database, DatabaseState, Error as StoreError, Instance, InstanceRole, Store};

use crate::World;
use crate::procedure::{server_dbname, target};

pub(crate) use notices::{address, deliver};
pub(crate) use reminders::reminders;
pub(crate) use required::required;
pub(crate) use retention::retention;
pub(crate) use standbys::standbys;
pub(crate) use windows::windows;

/// What does not start in that time goes on starting without being waited for: others have their turn.
const START_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, Error)]
pub enum Error {
    #[error("read or write our own state")]
    Store(#[source] StoreError),
    #[error("look at instance `{instance}`")]
    Observe { instance: String, source: HostError },
    #[error("tell the agent about instance `{instance}`")]
    Command { instance: String, source: HostError },
    #[error("ask for the releases that are there")]
    Catalogue(#[source] Refusal),
    #[error("plan the maintenance of database `{database}`")]
    Plan { database: String, source: Refusal },
    #[error("begin the planned maintenance of database `{database}`")]
    Begin { database: String, source: Refusal },
    #[error("find the plan of database `{database}`")]
    UnknownPlan { database: String, source: Refusal },
    #[error("push the route of `{dbname}`")]
    Route {
        dbname: String,
        source: TrafficError,
    },
}

/// Every instance is looked at; a primary that has stopped, or was left frozen, goes on, and so does a
/// standby whose primary is there.
///
/// As in every sweep here: one that cannot be seen to does not keep the others waiting.
pub(crate) async fn observe(world: &World, store: &Store) -> Result<(), Error> {
    let mut first_error = Ok(());
    let mut answering = BTreeSet::new();
    let mut databases = provisioned(store).await?;
    // Without its upstream a standby may wait for ever until it lets anybody in.
    databases.sort_by_key(|database| database.follows.is_some());
    for database in &databases {
        let mut instances = store.instances(database.id).await.map_err(Error::Store)?;
        instances.sort_by_key(|instance| database.primary_instance != Some(instance.id));
        for instance in instances {
            let upstream = upstream_of(&databases, database, &instance);
            let upstream = upstream.filter(|upstream| answering.contains(upstream));
            match observe_one(world, store, database, &instance, upstream).await {
                Ok(true) => drop(answering.insert(instance.id)),
                Ok(false) => {}
                Err(error) => first_error = first_error.and(Err(error)),
            }
        }
    }
    first_error
}

/// Whom an instance should stream from: standbys their own primary, followers their leader's.
fn upstream_of(
    databases: &[Database],
    database: &Database,
    instance: &Instance,
) -> Option<InstanceId> {
    match instance.role {
        InstanceRole::Standby => database.primary_instance,
        InstanceRole::Follower => {
            let mut all = databases.iter();
            let leader = all.find(|leader| Some(leader.id) == database.follows);
            leader.and_then(|leader| leader.primary_instance)
        }
        InstanceRole::Primary | InstanceRole::Replacement | InstanceRole::Retired => None,
    }
}

/// Whether it answers by itself. `upstream` is whom it should stream from, if that one answers.
async fn observe_one(
    world: &World,
    store: &Store,
    database: &Database,
    instance: &Instance,
    upstream: Option<InstanceId>,
) -> Result<bool, Error> {
    let seen = look(world, instance).await?;
    store
        .record_observation(&seen)
        .await
        .map_err(Error::Store)?;
    let remedy = match instance.role {
        InstanceRole::Standby | InstanceRole::Follower => standby_remedy(instance, &seen, upstream),
        _ => remedy(database, instance, &seen),
    };
    let Some(remedy) = remedy else {
        return Ok(seen.accepts_connections);
    };
    if !is_idle(store, database).await? {
        return Ok(seen.accepts_connections);
    }
    tracing::warn!(database = database.name, role = ?instance.role, process = ?seen.process, "an instance does not run; seeing to it");
    let seen_to = command(world, store, instance, "observe", remedy);
    match timeout(START_WAIT, seen_to).await {
        Ok(ended) => ended.map(|()| true),
        Err(_) => Ok(false),
    }
}

/// The endpoint knows every route; a workflow that is at it has the higher fence.
pub(crate) async fn routes(world: &World, store: &Store) -> Result<(), Error> {
    let mut first_error = Ok(());
    for database in provisioned(store).await? {
        first_error = first_error.and(push_route(world, store, database).await);
    }
    first_error
}

async fn push_route(world: &World, store: &Store, database: Database) -> Result<(), Error> {
    let Some(primary) = database.primary_instance else {
        return Ok(());
    };
    if !is_idle(store, &database).await? {
        return Ok(());
    }
    let Some(instance) = store.instance(primary).await.map_err(Error::Store)? else {
        return Ok(());
    };
    let Some(Ok(target)) = instance.observed.as_ref().map(target) else {
        return Ok(());
    };
    let route = Route {
        database: database.id,
        dbname: database.dbname.clone(),
        server_dbname: server_dbname(&database),
        access: match database.follows {
            Some(_) => Access::ReadOnly,
            None => Access::ReadWrite,
        },
        fence: database.route_fence,
        target,
    };
    match world.traffic.route(&route).await {
        Ok(()) | Err(TrafficError::Stale { .. }) => Ok(()),
        Err(source) => Err(Error::Route {
            dbname: database.dbname,
            source,
        }),
    }
}

/// Old instances are removed after their grace period.
pub(crate) async fn retire(world: &World, store: &Store) -> Result<(), Error> {
    let mut first_error = Ok(());
    for instance in store.instances_to_remove().await.map_err(Error::Store)? {
        first_error = first_error.and(remove_retired(world, store, &instance).await);
    }
    first_error
}

async fn remove_retired(world: &World, store: &Store, instance: &Instance) -> Result<(), Error> {
    let remove = HostCommand::RemoveInstance {
        instance: instance.id,
    };
    command(world, store, instance, "retire", remove).await?;
    store
        .forget_instance(instance.id)
        .await
        .map_err(Error::Store)?;
    tracing::info!(instance = %instance.id, "removed a retired instance");
    Ok(())
}

/// What a primary needs that does not run. A disarmed one has had its day: agents refuse it too.
fn remedy(database: &Database, instance: &Instance, seen: &Observation) -> Option<HostCommand> {
    let instance_is_primary =
        instance.role == InstanceRole::Primary && database.primary_instance == Some(instance.id);
    if !instance_is_primary || seen.disarmed {
        return None;
    }
    let instance = instance.id;
    match seen.process {
        ProcessState::Stopped => Some(HostCommand::StartInstance { instance }),
        ProcessState::Frozen => Some(HostCommand::Thaw { instance }),
        ProcessState::Absent | ProcessState::Running => None,
    }
}

/// A standby that follows another than it should, or has no files, is built anew instead; a follower when
/// somebody asks for it.
fn standby_remedy(
    instance: &Instance,
    seen: &Observation,
    upstream: Option<InstanceId>,
) -> Option<HostCommand> {
    let can_follow = upstream.is_some() && instance.follows == upstream && seen.identity.is_some();
    let stopped = seen.process == ProcessState::Stopped;
    let instance = instance.id;
    (stopped && can_follow).then_some(HostCommand::StartInstance { instance })
}

async fn provisioned(store: &Store) -> Result<Vec<Database>, Error> {
    let mut databases = store.databases().await.map_err(Error::Store)?;
    databases.retain(|database| database.state == DatabaseState::Provisioned);
    Ok(databases)
}

/// No workflow is at it, nor at its leader: what those do to instances and routes is their own. Work on its
/// followers is no reason to leave it lying.
async fn is_idle(store: &Store, database: &Database) -> Result<bool, Error> {
    let worked_on = store.is_worked_on(database.id).await;
    Ok(!worked_on.map_err(Error::Store)?)
}

async fn look(world: &World, instance: &Instance) -> Result<Observation, Error> {
    let failed = |source| Error::Observe {
        instance: instance.id.to_string(),
        source,
    };
    match world
        .hosts
        .query(
            instance.host_id,
            &HostQuery::Observe {
                instance: instance.id,
            },
        )
        .await
    {
        Ok(Answer::Observed { observation }) => Ok(*observation),
        Ok(other) => Err(failed(HostError::Failed {
            sentence: format!("unexpected answer {other:?}"),
        })),
        Err(source) => Err(failed(source)),
    }
}

async fn command(
    world: &World,
    store: &Store,
    instance: &Instance,
    step: &str,
    command: HostCommand,
) -> Result<(), Error> {
    let fence = store.next_fence().await.map_err(Error::Store)?;
    // Each sweep's command is a new one: a sweep looks before it acts.
    let id = CommandId {
        workflow: WorkflowId(world.random.uuid()),
        step: step.to_owned(),
        visit: 1,
        part: 0,
    };
    world
        .hosts
        .command(instance.host_id, &Envelope { id, fence, command })
        .await
        .map(drop)
        .map_err(|source| Error::Command {
            instance: instance.id.to_string(),
            source,
        })
}
