//! Beginning a workflow: its row, and what comes into being with it, in one transaction.

use serde_json::Value;
use tokio_postgres::Transaction;
use tokio_postgres::types::Json;
use upkeep_domain::id::{DatabaseId, WorkflowId};

use crate::databases::NewDatabase;
use crate::maintenances::NewMaintenance;
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

impl Store {
    /// A new database and the workflow that makes it.
    ///
    /// # Errors
    /// [`Error::Exists`] when a name is taken.
    pub async fn begin_provision(
        &self,
        workflow: &NewWorkflow,
        database: &NewDatabase,
    ) -> Result<(), Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        transaction
            .execute(
                "INSERT INTO upkeep.databases
                     (id, app_id, name, plan, attachment, dbname, credential, state, request_id)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'provisioning', $8)",
                &[
                    &database.id.0,
                    &database.app_id.0,
                    &database.name.as_str(),
                    &database.plan,
                    &database.attachment,
                    &database.dbname,
                    &Json(&database.credential),
                    &database.request_id,
                ],
            )
            .await
            .map_err(Error::query("insert a database"))?;
        insert_workflow(&transaction, workflow, None).await?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit a new database"))
    }

    /// A maintenance that runs from now on.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already.
    pub async fn begin_maintenance(
        &self,
        workflow: &NewWorkflow,
        maintenance: &NewMaintenance,
    ) -> Result<(), Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        transaction
            .execute(
                "WITH m AS (
                     INSERT INTO upkeep.maintenances
                         (id, database_id, status, method, reason, release_before, release_after, request_id, method_because, waivers, started_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, now()) RETURNING *)
                 INSERT INTO upkeep.outbox (workflow_id, database_id, kind, body)
                 SELECT $9, m.database_id, 'maintenance_started', pg_catalog.jsonb_build_object(
                     'maintenance', m.id, 'method', m.method, 'method_because', m.method_because, 'reason', m.reason,
                     'release_before', m.release_before, 'release_after', m.release_after)
                 FROM m",
                &[
                    &maintenance.id.0,
                    &workflow.database.0,
                    &NewMaintenance::STATUS.as_str(),
                    &maintenance.method,
                    &maintenance.reason,
                    &maintenance.release_before,
                    &maintenance.release_after,
                    &maintenance.request_id,
                    &workflow.id.0,
                    &maintenance.method_because,
                    &Json(&maintenance.waivers),
                ],
            )
            .await
            .map_err(Error::query("insert a maintenance"))?;
        insert_workflow(&transaction, workflow, Some(maintenance)).await?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit a new maintenance"))
    }

    /// Work that comes with nothing else.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already.
    pub async fn begin(&self, workflow: &NewWorkflow) -> Result<(), Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        insert_workflow(&transaction, workflow, None).await?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit a new workflow"))
    }

    /// The end of a database, from now on.
    ///
    /// # Errors
    /// [`Error::Exists`] when something is being done to the database already.
    pub async fn begin_destroy(&self, workflow: &NewWorkflow) -> Result<(), Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        transaction
            .execute(
                "UPDATE upkeep.databases SET state = 'deprovisioning' WHERE id = $1",
                &[&workflow.database.0],
            )
            .await
            .map_err(Error::query("mark a database as deprovisioning"))?;
        insert_workflow(&transaction, workflow, None).await?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit the end of a database"))
    }
}

async fn insert_workflow(
    transaction: &Transaction<'_>,
    workflow: &NewWorkflow,
    maintenance: Option<&NewMaintenance>,
) -> Result<(), Error> {
    transaction
        .execute(
            "WITH w AS (
                 INSERT INTO upkeep.workflows (id, database_id, maintenance_id, procedure, step, state)
                 VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, database_id, step)
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
            ],
        )
        .await
        .map_err(Error::query("insert a workflow"))?;
    Ok(())
}
