//! Sweeps: standing truths, compared with the world now and then. No input; nothing to recover.

use thiserror::Error;
use upkeep_domain::host_command::{Answer, CommandId, Envelope, HostCommand, HostError, HostQuery};
use upkeep_domain::id::WorkflowId;
use upkeep_domain::instance::{Observation, ProcessState};
use upkeep_domain::ports::TrafficError;
use upkeep_domain::route::Route;
use upkeep_store::{Database, DatabaseState, Error as StoreError, Instance, InstanceRole, Store};

use crate::World;
use crate::procedure::target;

#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("read or write our own state")]
    Store(#[source] StoreError),
    #[error("look at instance `{instance}`")]
    Observe { instance: String, source: HostError },
    #[error("tell the agent about instance `{instance}`")]
    Command { instance: String, source: HostError },
    #[error("push the route of `{dbname}`")]
    Route {
        dbname: String,
        source: TrafficError,
    },
}

/// Every instance is looked at; a primary that has stopped, or was left frozen, goes on.
///
/// As in every sweep here: one that cannot be seen to does not keep the others waiting.
pub(crate) async fn observe(world: &World, store: &Store) -> Result<(), Error> {
    let mut first_error = Ok(());
    for database in provisioned(store).await? {
        for instance in store.instances(database.id).await.map_err(Error::Store)? {
            let observed = observe_one(world, store, &database, &instance).await;
            first_error = first_error.and(observed);
        }
    }
    first_error
}

async fn observe_one(
    world: &World,
    store: &Store,
    database: &Database,
    instance: &Instance,
) -> Result<(), Error> {
    let seen = look(world, instance).await?;
    store
        .record_observation(&seen)
        .await
        .map_err(Error::Store)?;
    let Some(remedy) = remedy(database, instance, &seen) else {
        return Ok(());
    };
    if !is_idle(store, database).await? {
        return Ok(());
    }
    tracing::warn!(database = database.name, process = ?seen.process, "the primary does not run; seeing to it");
    command(world, store, instance, "observe", remedy).await
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

async fn provisioned(store: &Store) -> Result<Vec<Database>, Error> {
    let mut databases = store.databases().await.map_err(Error::Store)?;
    databases.retain(|database| database.state == DatabaseState::Provisioned);
    Ok(databases)
}

/// No workflow is at it: what it does to instances and routes is its own.
async fn is_idle(store: &Store, database: &Database) -> Result<bool, Error> {
    Ok(store
        .unfinished(database.id)
        .await
        .map_err(Error::Store)?
        .is_none())
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
