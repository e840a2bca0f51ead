//! Maintenances that are planned and have not been started: looked at and moved, also by another window.
//! When they run, they are taken up by the workflow that runs them (`workflows/begin.rs`).

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Json;
use upkeep_domain::id::{DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Window;

use crate::maintenances::Maintenance;
use crate::{Error, Store};

#[derive(Clone, Debug)]
pub struct Planned {
    pub maintenance: Maintenance,
    /// The request that moved it last.
    pub moved_by_request: Option<String>,
}

/// To another time, if it is still planned for the one that it is to be moved from.
#[derive(Clone, Debug)]
pub struct Move {
    pub maintenance: MaintenanceId,
    pub from: Option<Timestamp>,
    pub to: Timestamp,
    /// What people have to know of the new time.
    pub note: Option<String>,
    pub request_id: Option<String>,
}

const MOVE: &str = "
    WITH m AS (
        UPDATE upkeep.maintenances
        SET previously_scheduled_for = scheduled_for, scheduled_for = $3, schedule_note = $4, moved_by_request = $5
        WHERE id = $1 AND started_at IS NULL AND scheduled_for IS NOT DISTINCT FROM $2
        RETURNING *)
    INSERT INTO upkeep.outbox (database_id, kind, body)
    SELECT m.database_id, 'maintenance_moved', pg_catalog.jsonb_build_object(
        'maintenance', m.id, 'reason', m.reason, 'required_by', m.required_by, 'note', m.schedule_note,
        'scheduled_for', m.scheduled_for, 'previously_scheduled_for', m.previously_scheduled_for)
    FROM m";

impl Store {
    /// The wall-clock time that all servers go by.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        let row = self.client().await?.query_one("SELECT now()", &[]).await;
        Ok(row.map_err(Error::query("read the time"))?.get(0))
    }

    /// The maintenance that is planned for the database.
    pub async fn planned(&self, database: DatabaseId) -> Result<Option<Planned>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT * FROM upkeep.maintenances WHERE database_id = $1 AND started_at IS NULL",
                &[&database.0],
            )
            .await
            .map_err(Error::query("read the planned maintenance"))?;
        Ok(row.as_ref().map(|row| Planned {
            maintenance: Maintenance::from_row(row),
            moved_by_request: row.get("moved_by_request"),
        }))
    }

    /// False, and nothing was changed, if it was moved or begun by somebody else meanwhile.
    pub async fn move_planned(&self, moved: &Move) -> Result<bool, Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        if !move_it(&transaction, moved).await? {
            return Ok(false);
        }
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit the move of a maintenance"))?;
        Ok(true)
    }

    /// The window that people choose, and with it the new time of what is planned. False, and nothing was changed, if
    /// what is planned is not what it was taken for.
    pub async fn choose_window(
        &self,
        database: DatabaseId,
        window: &Window,
        moved: Option<&Move>,
    ) -> Result<bool, Error> {
        let mut guard = self.transactions().await?;
        let client = guard.as_mut().expect("`transactions` filled the slot");
        let transaction = client
            .transaction()
            .await
            .map_err(Error::query("begin a transaction"))?;
        transaction
            .execute(
                "UPDATE upkeep.databases SET maintenance_window = $2 WHERE id = $1",
                &[&database.0, &Json(window)],
            )
            .await
            .map_err(Error::query("choose a window"))?;
        let as_expected = match moved {
            Some(moved) => move_it(&transaction, moved).await?,
            None => nothing_is_planned(&transaction, database).await?,
        };
        if !as_expected {
            return Ok(false);
        }
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit the choice of a window"))?;
        Ok(true)
    }
}

async fn move_it(transaction: &Transaction<'_>, moved: &Move) -> Result<bool, Error> {
    let told = transaction
        .execute(
            MOVE,
            &[
                &moved.maintenance.0,
                &moved.from,
                &moved.to,
                &moved.note,
                &moved.request_id,
            ],
        )
        .await
        .map_err(Error::query("move a maintenance"))?;
    Ok(told == 1)
}

async fn nothing_is_planned(
    transaction: &Transaction<'_>,
    database: DatabaseId,
) -> Result<bool, Error> {
    let row = transaction
        .query_opt(
            "SELECT FROM upkeep.maintenances WHERE database_id = $1 AND started_at IS NULL",
            &[&database.0],
        )
        .await
        .map_err(Error::query("look for a planned maintenance"))?;
    Ok(row.is_none())
}
