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

/// Every instance is looked at; a primary that has stopped without being told to is started.
pub(crate) async fn observe(world: &World, store: &Store) -> Result<(), Error> {
    for database in provisioned(store).await? {
        for instance in store.instances(database.id).await.map_err(Error::Store)? {
            let seen = look(world, &instance).await?;
            store
                .record_observation(&seen)
                .await
                .map_err(Error::Store)?;
            if should_run(&database, &instance, &seen) && is_idle(store, &database).await? {
                tracing::warn!(
                    database = database.name,
                    "the primary had stopped; starting it"
                );
                command(
                    world,
                    store,
                    &instance,
                    "observe",
                    HostCommand::StartInstance {
                        instance: instance.id,
                    },
                )
                .await?;
            }
        }
    }
    Ok(())
}

/// The endpoint knows every route; a workflow that is at it has the higher fence.
pub(crate) async fn routes(world: &World, store: &Store) -> Result<(), Error> {
    for database in provisioned(store).await? {
        let Some(primary) = database.primary_instance else {
            continue;
        };
        if !is_idle(store, &database).await? {
            continue;
        }
        let Some(instance) = store.instance(primary).await.map_err(Error::Store)? else {
            continue;
        };
        let Some(Ok(target)) = instance.observed.as_ref().map(target) else {
            continue;
        };
        let route = Route {
            database: database.id,
            dbname: database.dbname.clone(),
            fence: database.route_fence,
            target,
        };
        match world.traffic.route(&route).await {
            Ok(()) | Err(TrafficError::Stale { .. }) => {}
            Err(source) => {
                return Err(Error::Route {
                    dbname: database.dbname,
                    source,
                });
            }
        }
    }
    Ok(())
}

/// Old instances are removed after their grace period.
pub(crate) async fn retire(world: &World, store: &Store) -> Result<(), Error> {
    for instance in store.instances_to_remove().await.map_err(Error::Store)? {
        command(
            world,
            store,
            &instance,
            "retire",
            HostCommand::RemoveInstance {
                instance: instance.id,
            },
        )
        .await?;
        store
            .forget_instance(instance.id)
            .await
            .map_err(Error::Store)?;
        tracing::info!(instance = %instance.id, "removed a retired instance");
    }
    Ok(())
}

fn should_run(database: &Database, instance: &Instance, seen: &Observation) -> bool {
    instance.role == InstanceRole::Primary
        && database.primary_instance == Some(instance.id)
        && seen.process == ProcessState::Stopped
        && !seen.disarmed
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
