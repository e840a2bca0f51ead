//! Workflows: durable runs of procedures.
//!
//! To start is to insert a row; to recover is to claim it; there is no other path. A claim is a
//! lease with a generation that grows with every claim: what is written under an older generation
//! finds no row, and agents refuse its commands.

mod begin;
mod cancel;
mod change;
mod commit;
mod window;

use std::time::Duration;

use serde_json::Value;
use tokio_postgres::Row;
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::{DatabaseId, MaintenanceId, WorkflowId};
use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::Step;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

pub(crate) use begin::lock_family;
pub use begin::{NewWorkflow, Turn};
pub use change::Change;
pub use commit::{NewEvent, Transition};
pub use window::WindowWait;

/// Work that has not ended, or that a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Name of the database that is worked on.
    pub database: String,
    pub procedure: String,
    pub step: String,
    pub is_stuck: bool,
}

/// A workflow that this server may run, until its lease ends.
#[derive(Clone, Debug)]
pub struct Claim {
    pub workflow: WorkflowId,
    pub database: DatabaseId,
    pub maintenance: Option<MaintenanceId>,
    pub procedure: String,
    pub step: String,
    pub visit: u32,
    pub tries: u32,
    pub state: Value,
    /// Why it is on its way back, for people.
    pub failure: Option<String>,
    /// Who has called it off.
    pub cancelled_by: Option<String>,
    pub fence: Fence,
    /// How long the present step has been going on, over all its visits.
    pub step_age: Duration,
}

/// What goes on again because a person asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retried {
    pub procedure: String,
    pub is_maintenance: bool,
}

impl Claim {
    fn from_row(row: &Row) -> Self {
        Self {
            workflow: WorkflowId(row.get("id")),
            database: DatabaseId(row.get("database_id")),
            maintenance: row
                .get::<_, Option<Uuid>>("maintenance_id")
                .map(MaintenanceId),
            procedure: row.get("procedure"),
            step: row.get("step"),
            visit: row.get::<_, i32>("visit") as u32,
            tries: row.get::<_, i32>("tries") as u32,
            state: row.get("state"),
            failure: row.get("failure"),
            cancelled_by: row.get("cancelled_by"),
            fence: Fence(row.get::<_, i64>("generation") as u64),
            step_age: Duration::from_millis(row.get::<_, i64>("step_age_ms").max(0) as u64),
        }
    }
}

impl Store {
    /// Gives up what a former process of this owner had claimed.
    ///
    /// Only for a caller that knows the former process to be dead (it holds its lock).
    pub async fn take_back(&self, owner: &str) -> Result<(), Error> {
        self.client()
            .await?
            .execute("UPDATE upkeep.workflows SET leased_until = NULL WHERE owner = $1 AND ended_as IS NULL", &[&owner])
            .await
            .map_err(Error::query("take workflows back"))?;
        Ok(())
    }

    /// Claims one workflow that is due, that nobody runs, and before which nothing else is to be done
    /// to its family.
    pub async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Claim>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "UPDATE upkeep.workflows SET owner = $1, generation = pg_catalog.nextval('upkeep.fence'),
                        leased_until = now() + $2::bigint * interval '1 millisecond'
                 WHERE id = (
                     SELECT id FROM upkeep.workflows w
                     WHERE ended_as IS NULL AND wake_at <= now() AND (leased_until IS NULL OR leased_until < now())
                       AND NOT EXISTS (
                           SELECT FROM upkeep.workflows before
                           WHERE before.family = w.family AND before.ticket < w.ticket AND before.ended_as IS NULL)
                     ORDER BY wake_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                 RETURNING *, (extract(epoch FROM now() - step_began_at) * 1000)::bigint AS step_age_ms",
                &[&owner, &(lease.as_millis() as i64)],
            )
            .await
            .map_err(Error::query("claim a workflow"))?;
        Ok(row.as_ref().map(Claim::from_row))
    }

    /// Tells who has called it off meanwhile.
    ///
    /// # Errors
    /// [`Error::ClaimLost`] when another controller has claimed it since.
    pub async fn renew_claim(
        &self,
        claim: &Claim,
        lease: Duration,
    ) -> Result<Option<String>, Error> {
        let renewed = self
            .client()
            .await?
            .query_opt(
                "UPDATE upkeep.workflows SET leased_until = now() + $3::bigint * interval '1 millisecond'
                 WHERE id = $1 AND generation = $2 RETURNING cancelled_by",
                &[&claim.workflow.0, &(claim.fence.0 as i64), &(lease.as_millis() as i64)],
            )
            .await
            .map_err(Error::query("renew a claim"))?;
        renewed.map(|row| row.get(0)).ok_or(Error::ClaimLost)
    }

    /// A fence for work outside of workflows, such as a sweep's.
    pub async fn next_fence(&self) -> Result<Fence, Error> {
        let row = self
            .client()
            .await?
            .query_one("SELECT pg_catalog.nextval('upkeep.fence')", &[])
            .await
            .map_err(Error::query("draw a fence"))?;
        Ok(Fence(row.get::<_, i64>(0) as u64))
    }

    /// What may be sent to a database's instances just now: by work of its own, or its leader's.
    pub async fn is_worked_on(&self, database: DatabaseId) -> Result<bool, Error> {
        let row = self
            .client()
            .await?
            .query_one(
                "SELECT EXISTS (
                     SELECT FROM upkeep.workflows w JOIN upkeep.databases d ON w.database_id IN (d.id, d.follows)
                     WHERE d.id = $1 AND (w.ended_as IS NULL OR w.ended_as = 'stuck')
                       -- While its leader waits for a window a follower is nobody's work.
                       AND (w.database_id = d.id OR w.step <> $2))",
                &[&database.0, &Step::AwaitWindow.spec().name],
            )
            .await
            .map_err(Error::query("look for work in progress"))?;
        Ok(row.get(0))
    }

    /// What is being done to a database, its leader or its followers just now. What is stuck on another of
    /// them is in nobody's way.
    pub async fn unfinished(&self, database: DatabaseId) -> Result<Option<Unfinished>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT d.name, w.procedure, w.step, w.ended_as IS NOT NULL AS stuck
                 FROM upkeep.workflows w JOIN upkeep.databases d ON d.id = w.database_id
                 WHERE w.database_id = $1 AND (w.ended_as IS NULL OR w.ended_as = 'stuck')
                    OR w.ended_as IS NULL
                       AND w.family = (SELECT coalesce(follows, id) FROM upkeep.databases WHERE id = $1)
                 ORDER BY w.ticket LIMIT 1",
                &[&database.0],
            )
            .await
            .map_err(Error::query("look for unfinished work"))?;
        Ok(row.map(|row| Unfinished {
            database: row.get(0),
            procedure: row.get(1),
            step: row.get(2),
            is_stuck: row.get(3),
        }))
    }

    /// How often a procedure was rolled back on this database since it last succeeded, and how long ago
    /// the last time was.
    pub async fn failures(
        &self,
        database: DatabaseId,
        procedure: &str,
    ) -> Result<(u32, Duration), Error> {
        let row = self
            .client()
            .await?
            .query_one(
                "SELECT count(*), coalesce((extract(epoch FROM now() - max(ended_at)) * 1000)::bigint, 0)
                 FROM upkeep.workflows w
                 WHERE database_id = $1 AND procedure = $2 AND ended_as = 'rolled_back' AND ended_at > coalesce(
                     (SELECT max(ended_at) FROM upkeep.workflows
                      WHERE database_id = $1 AND procedure = $2 AND ended_as = 'succeeded'), '-infinity')",
                &[&database.0, &procedure],
            )
            .await
            .map_err(Error::query("count failures"))?;
        let (failures, ago_ms): (i64, i64) = (row.get(0), row.get(1));
        Ok((failures as u32, Duration::from_millis(ago_ms.max(0) as u64)))
    }

    /// A stuck workflow goes on at the step where it stands, as a new visit: a person has looked. What was
    /// begun on its family meanwhile has its turn first.
    ///
    /// None when there is none.
    pub async fn retry_stuck(&self, database: DatabaseId) -> Result<Option<Retried>, Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        lock_family(&transaction, database, None).await?;
        let row = transaction
            .query_opt(
                "WITH w AS (
                     UPDATE upkeep.workflows SET ended_as = NULL, ended_at = NULL, failure = NULL, cancelled_by = NULL, tries = 0,
                            ticket = DEFAULT, visit = visit + 1, step_began_at = now(), wake_at = now(), leased_until = NULL
                     WHERE database_id = $1 AND ended_as = 'stuck' RETURNING *),
                 m AS (
                     UPDATE upkeep.maintenances SET outcome = NULL, sentence = NULL
                     WHERE id IN (SELECT maintenance_id FROM w)),
                 e AS (
                     INSERT INTO upkeep.events (workflow_id, database_id, step, kind, sentence)
                     SELECT id, database_id, step, 'started', 'Trying again, as a person asked' FROM w)
                 SELECT procedure, maintenance_id IS NOT NULL FROM w",
                &[&database.0],
            )
            .await
            .map_err(Error::query("go on with a stuck workflow"))?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit that a stuck workflow goes on"))?;
        Ok(row.map(|row| Retried {
            procedure: row.get(0),
            is_maintenance: row.get(1),
        }))
    }
}
