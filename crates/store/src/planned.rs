//! Maintenances that are planned and have not been started: planned, changed, moved, withdrawn.
//! When they run, they are taken up by the workflow that runs them (`workflows/begin.rs`).

use jiff::Timestamp;
use tokio_postgres::types::Json;
use upkeep_domain::id::{DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Window;
use upkeep_domain::maintenance::planning::Notice;

use crate::connect::Transaction;
use crate::maintenances::Maintenance;
use crate::outbox::about;
use crate::statements::Ask as _;
use crate::workflows::lock_family;
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

const MOVE: &str = concat!(
    "
    WITH m AS (
        UPDATE upkeep.maintenances
        SET previously_scheduled_for = scheduled_for, scheduled_for = $3, schedule_note = $4, moved_by_request = $5,
            sentence = NULL
        WHERE id = $1 AND started_at IS NULL AND scheduled_for IS NOT DISTINCT FROM $2
        RETURNING *)
    INSERT INTO upkeep.outbox (database_id, kind, body) SELECT m.database_id, 'maintenance_moved', ",
    about!(),
    " FROM m"
);

/// A maintenance as it is to be planned. With the id of one that is planned it takes its place.
#[derive(Clone, Debug)]
pub struct NewPlan {
    pub id: MaintenanceId,
    pub database: DatabaseId,
    pub method: String,
    pub method_because: String,
    pub reason: String,
    pub reason_because: String,
    pub release_before: String,
    pub release_after: String,
    pub required_by: Timestamp,
    pub scheduled_for: Option<Timestamp>,
    pub schedule_note: Option<String>,
    /// The window that it was reckoned with, as people chose it.
    pub chosen_window: Option<Window>,
    /// When the one in whose place it comes was scheduled for.
    pub seen_scheduled_for: Option<Timestamp>,
    /// When people were told that it would be done, if that was to be in another window.
    pub previously_scheduled_for: Option<Timestamp>,
    pub notice: Notice,
}

/// Nothing is written if the database, its window or what was planned is not as it was seen.
const PLAN: &str = concat!(
    "
    WITH m AS (
        INSERT INTO upkeep.maintenances AS m
            (id, database_id, status, method, method_because, reason, reason_because, release_before, release_after,
             required_by, scheduled_for, schedule_note, previously_scheduled_for)
        SELECT $1, d.id, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $15 FROM upkeep.databases d
        WHERE d.id = $2 AND d.state = 'provisioned' AND d.maintenance_window IS NOT DISTINCT FROM $12
          AND NOT EXISTS (
              SELECT FROM upkeep.workflows w
              WHERE w.database_id = d.id AND (w.ended_as IS NULL OR w.ended_as = 'stuck'))
        FOR UPDATE OF d
        ON CONFLICT (id) DO UPDATE
            SET method = $3, method_because = $4, reason = $5, reason_because = $6, release_before = $7,
                release_after = $8, required_by = $9, schedule_note = $11, scheduled_for = $10,
                previously_scheduled_for = CASE WHEN m.scheduled_for IS DISTINCT FROM $10 THEN m.scheduled_for
                                                ELSE m.previously_scheduled_for END,
                sentence = CASE WHEN m.scheduled_for IS NOT DISTINCT FROM $10 THEN m.sentence END
            WHERE m.started_at IS NULL AND m.scheduled_for IS NOT DISTINCT FROM $13
        RETURNING *)
    INSERT INTO upkeep.outbox (database_id, kind, body) SELECT m.database_id, $14, ",
    about!(),
    " || pg_catalog.jsonb_build_object('because', $16::text) FROM m"
);

const WITHDRAW: &str = concat!(
    "
    WITH m AS (
        DELETE FROM upkeep.maintenances
        WHERE id = $1 AND started_at IS NULL AND scheduled_for IS NOT DISTINCT FROM $2 RETURNING *)
    INSERT INTO upkeep.outbox (database_id, kind, body) SELECT m.database_id, 'maintenance_withdrawn', ",
    about!(),
    " FROM m"
);

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

    /// Plans a maintenance, or changes the one that is planned; nothing, if things are not as they were seen.
    ///
    /// # Errors
    /// [`Error::Exists`] when somebody else has planned one in the same moment.
    pub async fn plan(&self, plan: &NewPlan) -> Result<(), Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        // What is being begun on the family is waited for, and seen by the statement behind it.
        lock_family(&transaction, plan.database, None).await?;
        transaction
            .execute(
                PLAN,
                &[
                    &plan.id.0,
                    &plan.database.0,
                    &plan.method,
                    &plan.method_because,
                    &plan.reason,
                    &plan.reason_because,
                    &plan.release_before,
                    &plan.release_after,
                    &plan.required_by,
                    &plan.scheduled_for,
                    &plan.schedule_note,
                    &plan.chosen_window.as_ref().map(Json),
                    &plan.seen_scheduled_for,
                    &plan.notice.kind().as_str(),
                    &plan.previously_scheduled_for,
                    &plan.notice.because(),
                ],
            )
            .await
            .map_err(Error::query("plan a maintenance"))?;
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit the plan of a maintenance"))
    }

    /// Why a planned one is not begun, though its time has come.
    pub async fn note_waiting(&self, planned: MaintenanceId, waits_for: &str) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "UPDATE upkeep.maintenances SET sentence = $2
                 WHERE id = $1 AND started_at IS NULL AND sentence IS DISTINCT FROM $2",
                &[&planned.0, &waits_for],
            )
            .await
            .map_err(Error::query("record what a maintenance waits for"))?;
        Ok(())
    }

    /// There is no reason for it any more. Nothing is written if it is planned for another time than it was seen.
    pub async fn withdraw(
        &self,
        planned: MaintenanceId,
        seen_scheduled_for: Option<Timestamp>,
    ) -> Result<(), Error> {
        let client = self.client().await?;
        let withdrawn = client
            .execute(WITHDRAW, &[&planned.0, &seen_scheduled_for])
            .await;
        withdrawn.map_err(Error::query("withdraw a maintenance"))?;
        Ok(())
    }

    /// False, and nothing was changed, if it was moved or begun by somebody else meanwhile.
    pub async fn move_planned(&self, moved: &Move) -> Result<bool, Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
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
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
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
            "SELECT FROM upkeep.maintenances
             WHERE database_id = $1 AND (started_at IS NULL OR status IN ('preparing', 'ready'))",
            &[&database.0],
        )
        .await
        .map_err(Error::query("look for a planned maintenance"))?;
    Ok(row.is_none())
}
