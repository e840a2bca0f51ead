//! Requests: what a person asked for, judged and turned into rows. Nothing happens here; the driver
//! finds the rows. A refusal says why and what to do, and has changed nothing.

mod app;
mod attach;
mod begin_planned;
mod calendars;
mod cancel_maintenance;
mod create_database;
mod destroy_database;
mod fleet;
mod followers;
mod forecast;
mod freezes;
mod naming;
mod notices;
mod plan;
mod preflight;
mod release;
mod require;
mod run_maintenance;
mod standby;
mod window;

use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{Answer, HostError, HostQuery};
use upkeep_domain::id::{DatabaseId, WorkflowId};
use upkeep_domain::procedure::{Steps, follow, standby as building};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::Catalogue;
use upkeep_store::{
    Database, DatabaseState, Error as StoreError, Instance, NewWorkflow, Unfinished,
};

use crate::Engine;
use crate::workflow::Run;

pub use attach::Attach;
pub(crate) use begin_planned::Queue;
pub(crate) use cancel_maintenance::undoable;
pub use create_database::CreateDatabase;
pub use fleet::InFleet;
pub use run_maintenance::{RunMaintenance, WaiverWish};
pub use window::{Moved, Rescheduled, WindowChange, WindowWish};

/// A store that cannot be asked is nobody's fault who asks.
pub fn store_refusal(error: &StoreError) -> Refusal {
    tracing::error!(error = %ErrorChain(error), "the state database failed a request");
    Refusal::new(
        RefusalKind::Unavailable,
        "Upkeep's own state cannot be reached just now",
    )
    .with_hint("try again in a moment; the server's log says more")
}

pub fn host_refusal(error: HostError) -> Refusal {
    match error {
        HostError::Refused { refusal } => refusal,
        other => Refusal::new(
            RefusalKind::Unavailable,
            format!("the agent did not do it: {other}"),
        ),
    }
}

impl Engine {
    /// Releases that the host has at hand.
    pub async fn catalogue(&self) -> Result<Catalogue, Refusal> {
        match self
            .world
            .hosts
            .query(self.world.host, &HostQuery::Releases)
            .await
            .map_err(host_refusal)?
        {
            Answer::Releases { releases } => Ok(Catalogue::new(releases)),
            other => Err(Refusal::new(
                RefusalKind::Internal,
                format!("unexpected answer {other:?}"),
            )),
        }
    }

    /// The row of a workflow that stands at its first step.
    fn workflow_of<R: Run>(&self, database: DatabaseId, run: &R) -> NewWorkflow {
        let first = R::Step::ALL[0].spec();
        NewWorkflow {
            id: WorkflowId(self.world.random.uuid()),
            database,
            procedure: R::Step::PROCEDURE,
            first_step: first.name,
            first_sentence: first.sentence,
            state: serde_json::to_value(run).expect("the state of a procedure is plain data"),
        }
    }

    /// Begins work that comes with nothing else.
    async fn begin<R: Run>(&self, database: &Database, run: &R) -> Result<(), Refusal> {
        let workflow = self.workflow_of(database.id, run);
        match self.store.begin(&workflow).await {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(error) => Err(not_begun(database, &error)),
        }
    }

    /// A person asks for more while a workflow is stuck: it goes on where it stands. True if it is a
    /// maintenance; other work has to end first, which is told.
    async fn go_on_with_stuck(&self, database: &Database) -> Result<bool, Refusal> {
        let retried = self
            .store
            .retry_stuck(database.id)
            .await
            .map_err(|error| store_refusal(&error))?;
        let Some(retried) = retried else {
            return Ok(false);
        };
        self.wake();
        if retried.is_maintenance {
            return Ok(true);
        }
        Err(goes_on(database, &retried.procedure))
    }

    /// Its primary, once it is provisioned.
    async fn primary(&self, database: &Database) -> Result<Instance, Refusal> {
        let not_ready = || {
            Refusal::new(
                RefusalKind::NotReady,
                format!("`{}` is not provisioned yet", database.name),
            )
            .with_hint(format!("wait for it: upkeep addons:wait {}", database.name))
        };
        if database.state != DatabaseState::Provisioned {
            return Err(not_ready());
        }
        let id = database.primary_instance.ok_or_else(not_ready)?;
        self.store
            .instance(id)
            .await
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(not_ready)
    }

    /// Refuses while something else is being done to the database.
    async fn need_idle(&self, database: &Database) -> Result<(), Refusal> {
        match self
            .store
            .unfinished(database.id)
            .await
            .map_err(|error| store_refusal(&error))?
        {
            None => Ok(()),
            Some(Unfinished { database, procedure, step, is_stuck: true }) => Err(Refusal::busy(format!(
                "the last {procedure} of `{database}` is stuck at `{step}`: a person has to look first",
            ))
            .with_hint(format!("when the cause is put right, `upkeep data:maintenances:run {database}` goes on where it stands"))),
            Some(Unfinished { database, procedure, step, .. }) => Err(already_busy(&database, &procedure, &step)),
        }
    }
}

/// Somebody else may have begun something in the same moment.
fn not_begun(database: &Database, error: &StoreError) -> Refusal {
    match error {
        StoreError::Exists { .. } => already_busy(&database.name, "piece of work", "its beginning"),
        error => store_refusal(error),
    }
}

/// What was asked for has to wait for what was stuck.
fn goes_on(database: &Database, procedure: &str) -> Refusal {
    Refusal::busy(format!(
        "the {procedure} of `{}` was stuck and has to end first: it goes on now",
        database.name
    ))
    .with_hint("ask again when it has ended")
}

/// `database` is the name of the one that is worked on: also its leader, or a follower of it.
fn already_busy(database: &str, procedure: &str, step: &str) -> Refusal {
    match procedure {
        building::Step::PROCEDURE => Refusal::busy(format!(
            "the hidden standby of `{database}` is being built (at `{step}`)"
        ))
        .with_hint("try again when `upkeep pg:info` says `HA Status: Available`"),
        follow::Step::PROCEDURE => Refusal::busy(format!(
            "`{database}` is being made as a follower (at `{step}`)"
        ))
        .with_hint(format!("wait for it: upkeep addons:wait {database}")),
        _ => Refusal::busy(format!(
            "a {procedure} of `{database}` is running already (at `{step}`)"
        ))
        .with_hint(format!(
            "follow it with: upkeep data:maintenances:wait {database}"
        )),
    }
}
