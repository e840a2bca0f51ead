//! Beginning a workflow: its row, and what comes into being with it, in one transaction.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::Json;
use upkeep_domain::id::{DatabaseId, WorkflowId};
use upkeep_domain::maintenance::Status;
use uuid::Uuid;

use crate::attachments;
use crate::connect::Transaction;
use crate::databases::{DatabaseState, NewDatabase};
use crate::maintenances::NewMaintenance;
use crate::outbox::about;
use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug)]
pub struct NewWorkflow {
    pub id: WorkflowId,
    pub database: DatabaseId,
    pub procedure: &'static str,
    pub first_step: &'static str,
    pub first_sentence: &'static str,
    pub state: Value,
}

/// When what is planned may be begun by nobody's hand.
#[derive(Clone, Debug)]
pub struct Turn {
    /// For when it was seen to be planned.
    pub scheduled_for: Timestamp,
    /// Not earlier than that.
    pub from: Timestamp,
    /// Not later than that.
    pub until: Timestamp,
    /// Not while so many go on.
    pub runs_at_once: u32,
}

const GOING_ON: &str = "
    SELECT count(*) FROM upkeep.workflows w JOIN upkeep.maintenances m ON m.id = w.maintenance_id
    WHERE w.ended_as IS NULL AND m.status = $1";

/// Names the lock under which turns are taken.
const TURNS: i64 = 0x7570_6b65_6570_0002;

/// What comes into being with a workflow.
enum With<'a> {
    Nothing,
    Database(&'a NewDatabase),
    Maintenance(&'a NewMaintenance, Option<&'a Turn>),
    /// The database ends.
    End,
}

impl Store {
    /// A new database and the workflow that makes it.
    ///
    /// # Errors
    /// [`Error::Exists`] when a name is taken, [`Error::LeaderGone`] when its leader is there no more.
    pub async fn begin_provision(
        &self,
        workflow: &NewWorkflow,
        database: &NewDatabase,
    ) -> Result<(), Error> {
        self.begin_with(workflow, With::Database(database)).await
    }

    /// A maintenance that runs from now on. With a turn it is one that is planned, and begun by nobody's hand.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already; with a turn also
    /// [`Error::NoTurn`] when too many go on, and [`Error::NotAsSeen`] when it is not planned as the turn has it.
    pub async fn begin_maintenance(
        &self,
        workflow: &NewWorkflow,
        maintenance: &NewMaintenance,
        turn: Option<&Turn>,
    ) -> Result<(), Error> {
        self.begin_with(workflow, With::Maintenance(maintenance, turn))
            .await
    }

    /// Work that comes with nothing else.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already.
    pub async fn begin(&self, workflow: &NewWorkflow) -> Result<(), Error> {
        self.begin_with(workflow, With::Nothing).await
    }

    /// The end of a database, from now on. Its names are free at once.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already,
    /// [`Error::HasFollowers`] when others follow it.
    pub async fn begin_destroy(&self, workflow: &NewWorkflow) -> Result<(), Error> {
        self.begin_with(workflow, With::End).await
    }

    /// How many maintenances are at that, or wait for their family's other work: those that are prepared, those that
    /// wait for their windows, those that run.
    pub async fn maintenances_going_on(&self, status: Status) -> Result<i64, Error> {
        let status = status.as_str();
        let row = self.client().await?.query_one(GOING_ON, &[&status]).await;
        Ok(row
            .map_err(Error::query("count the maintenances that go on"))?
            .get(0))
    }

    async fn begin_with(&self, workflow: &NewWorkflow, with: With<'_>) -> Result<(), Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        let leader = match with {
            With::Database(database) => database.follows,
            _ => None,
        };
        // Before any row of a maintenance, as whoever plans does.
        let family = lock_family(&transaction, workflow.database, leader).await?;
        if let With::Maintenance(maintenance, Some(turn)) = with {
            take_turn(&transaction, maintenance, turn).await?;
        }
        let mut maintenance = None;
        match with {
            With::Nothing => {}
            With::Database(database) => insert_database(&transaction, database).await?,
            With::Maintenance(new, _) => {
                insert_maintenance(&transaction, workflow, new).await?;
                maintenance = Some(new);
            }
            With::End => mark_its_end(&transaction, workflow.database).await?,
        }
        insert_workflow(&transaction, workflow, family, maintenance).await?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit a new workflow"))
    }
}

/// Of several that come at once, in this server or another, each sees what the one before it has begun: the lock is held
/// until that is committed.
async fn take_turn(
    transaction: &Transaction<'_>,
    planned: &NewMaintenance,
    turn: &Turn,
) -> Result<(), Error> {
    lock_turns(transaction).await?;
    let going_on: i64 = transaction
        .query_one(GOING_ON, &[&planned.status().as_str()])
        .await
        .map_err(Error::query("count the maintenances that go on"))?
        .get(0);
    if going_on >= i64::from(turn.runs_at_once) {
        return Err(Error::NoTurn { going_on });
    }
    let planned = transaction
        .query_opt(
            "SELECT FROM upkeep.maintenances
             WHERE id = $1 AND started_at IS NULL AND scheduled_for = $2 AND now() BETWEEN $3 AND $4 FOR UPDATE",
            &[&planned.id.0, &turn.scheduled_for, &turn.from, &turn.until],
        )
        .await
        .map_err(Error::query("look for a planned maintenance"))?;
    planned.map(drop).ok_or(Error::NotAsSeen)
}

/// Until the transaction ends nobody else takes a turn.
pub(super) async fn lock_turns(transaction: &Transaction<'_>) -> Result<(), Error> {
    let locked = transaction
        .execute("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[&TURNS])
        .await;
    locked.map_err(Error::query("wait for the turn of others"))?;
    Ok(())
}

/// Who begins something with a family waits here for whoever begins something else with it: the order
/// of tickets is the order of commits.
pub(crate) async fn lock_family(
    transaction: &Transaction<'_>,
    database: DatabaseId,
    leader: Option<DatabaseId>,
) -> Result<Uuid, Error> {
    let locked = transaction
        .query_opt(
            "SELECT id, state FROM upkeep.databases
             WHERE id = coalesce($2, (SELECT coalesce(follows, id) FROM upkeep.databases WHERE id = $1))
             FOR UPDATE",
            &[&database.0, &leader.map(|leader| leader.0)],
        )
        .await
        .map_err(Error::query("lock a leader and its followers"))?;
    let stays = locked
        .as_ref()
        .is_some_and(|row| row.get::<_, &str>("state") == DatabaseState::Provisioned.as_str());
    match locked {
        _ if leader.is_some() && !stays => Err(Error::LeaderGone),
        Some(row) => Ok(row.get("id")),
        // It is about to be inserted.
        None => Ok(database.0),
    }
}

async fn insert_database(
    transaction: &Transaction<'_>,
    database: &NewDatabase,
) -> Result<(), Error> {
    transaction
        .execute(
            "INSERT INTO upkeep.databases
                 (id, app_id, name, plan, dbname, server_dbname, credential, follows, state, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'provisioning', $9)",
            &[
                &database.id.0,
                &database.app_id.0,
                &database.name.as_str(),
                &database.plan,
                &database.dbname,
                &database.server_dbname,
                &Json(&database.credential),
                &database.follows.map(|leader| leader.0),
                &database.request_id,
            ],
        )
        .await
        .map_err(Error::query("insert a database"))?;
    attachments::insert(transaction, &database.attachment)
        .await
        .map_err(Error::query("attach a new database"))?;
    Ok(())
}

async fn insert_maintenance(
    transaction: &Transaction<'_>,
    workflow: &NewWorkflow,
    maintenance: &NewMaintenance,
) -> Result<(), Error> {
    let begun = transaction
        .query_one(
            concat!(
                "WITH m AS (
                 INSERT INTO upkeep.maintenances AS m
                     (id, database_id, status, method, reason, release_before, release_after, request_id, method_because, waivers,
                      window_then, begun_by, go_on_until, size_bytes, forecast, started_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12, $13, $14, $15, $16, clock_timestamp())
                 ON CONFLICT (id) DO UPDATE
                     SET status = $3, method = $4, release_before = $6, release_after = $7, request_id = $8,
                         method_because = $10, waivers = $11, window_then = $12, begun_by = $13, go_on_until = $14, size_bytes = $15,
                         forecast = $16, sentence = NULL, started_at = clock_timestamp()
                     WHERE m.started_at IS NULL
                 RETURNING *),
             told AS (
                 INSERT INTO upkeep.outbox (workflow_id, database_id, kind, body)
                 SELECT $9, m.database_id, 'maintenance_started', ",
                about!(),
                " FROM m WHERE m.status = 'running')
             SELECT count(*) FROM m"
            ),
            &[
                &maintenance.id.0,
                &workflow.database.0,
                &maintenance.status().as_str(),
                &maintenance.method,
                &maintenance.reason,
                &maintenance.release_before,
                &maintenance.release_after,
                &maintenance.request_id,
                &workflow.id.0,
                &maintenance.method_because,
                &Json(&maintenance.waivers),
                &maintenance.window,
                &maintenance.begun_by,
                &maintenance.go_on_until,
                &maintenance.size_bytes.map(|bytes| bytes as i64),
                &maintenance.forecast.as_ref().map(Json),
            ],
        )
        .await
        .map_err(Error::query("insert a maintenance"))?;
    if begun.get::<_, i64>(0) != 1 {
        let constraint = "maintenances_pkey".to_owned();
        return Err(Error::Exists { constraint });
    }
    Ok(())
}

/// Refuses while it has followers.
async fn mark_its_end(transaction: &Transaction<'_>, database: DatabaseId) -> Result<(), Error> {
    let marked = transaction
        .execute(
            "UPDATE upkeep.databases SET state = 'deprovisioning' WHERE id = $1 AND NOT EXISTS (
                 SELECT FROM upkeep.databases f WHERE f.follows = $1 AND f.state <> 'failed')",
            &[&database.0],
        )
        .await
        .map_err(Error::query("mark a database as deprovisioning"))?;
    if marked != 1 {
        return Err(Error::HasFollowers);
    }
    attachments::delete_all(transaction, database)
        .await
        .map_err(Error::query("detach a database"))
}

async fn insert_workflow(
    transaction: &Transaction<'_>,
    workflow: &NewWorkflow,
    family: Uuid,
    maintenance: Option<&NewMaintenance>,
) -> Result<(), Error> {
    transaction
        .execute(
            "WITH w AS (
                 INSERT INTO upkeep.workflows (id, database_id, maintenance_id, procedure, step, state, family)
                 VALUES ($1, $2, $3, $4, $5, $6, $8) RETURNING id, database_id, step)
             INSERT INTO upkeep.events (workflow_id, database_id, step, kind, sentence)
             SELECT id, database_id, step, 'started', $7 FROM w",
            &[
                &workflow.id.0,
                &workflow.database.0,
                &maintenance.map(|maintenance| maintenance.id.0),
                &workflow.procedure,
                &workflow.first_step,
                &workflow.state,
                &workflow.first_sentence,
                &family,
            ],
        )
        .await
        .map_err(Error::query("insert a workflow"))?;
    Ok(())
}
