//! Runs that were begun before their window, to prepare for it: what they wait for, and who lets them go on.
//!
//! Until then their maintenance is `preparing` or `ready`, and in nobody's way; from then on it is `running`.

use jiff::Timestamp;
use upkeep_domain::id::{DatabaseId, MaintenanceId};

use super::begin::lock_turns;
use crate::outbox::about;
use crate::{Error, Store};

/// What a run waits for that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowWait {
    pub opens_at: Timestamp,
    pub now: Timestamp,
}

/// Others that go on, and those whose turn comes first.
const BEFORE_IT: &str = "
    SELECT count(*) FROM upkeep.workflows w
    JOIN upkeep.maintenances m ON m.id = w.maintenance_id
    JOIN upkeep.maintenances own ON own.id = $1
    WHERE w.ended_as IS NULL AND m.id <> own.id AND (m.status = 'running'
        OR m.status = 'ready' AND m.scheduled_for <= now()
           AND (m.required_by, m.scheduled_for, m.id) < (own.required_by, own.scheduled_for, own.id))";

/// It starts for people now, and they are told.
macro_rules! go_on {
    ($whose:literal) => {
        concat!(
            "
    WITH m AS (
        UPDATE upkeep.maintenances m
        SET status = 'running', started_at = clock_timestamp(), begun_by = coalesce($2, m.begun_by),
            request_id = coalesce($3, m.request_id)
        FROM upkeep.workflows w
        WHERE w.maintenance_id = m.id AND w.ended_as IS NULL AND w.cancelled_by IS NULL
          AND m.status IN ('preparing', 'ready') AND ",
            $whose,
            "
        RETURNING m.*, w.id AS workflow_id)
    INSERT INTO upkeep.outbox (workflow_id, database_id, kind, body)
    SELECT m.workflow_id, m.database_id, 'maintenance_started', ",
            about!(),
            " FROM m"
        )
    };
}
const GO_ON: &str = go_on!("m.id = $1");
const GO_ON_WITH_DATABASE: &str = go_on!("m.database_id = $1");

impl Store {
    /// It is ready, unless it may go on already: then there is nothing to wait for.
    pub async fn ready(&self, maintenance: MaintenanceId) -> Result<Option<WindowWait>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "WITH u AS (UPDATE upkeep.maintenances SET status = 'ready' WHERE id = $1 AND status = 'preparing')
                 SELECT scheduled_for, now() FROM upkeep.maintenances
                 WHERE id = $1 AND status IN ('preparing', 'ready') AND scheduled_for IS NOT NULL",
                &[&maintenance.0],
            )
            .await
            .map_err(Error::query("mark a maintenance as ready"))?;
        Ok(row.map(|row| WindowWait {
            opens_at: row.get(0),
            now: row.get(1),
        }))
    }

    /// Its window is open: it goes on if it is its turn.
    ///
    /// # Errors
    /// [`Error::NoTurn`] with how many are before it.
    pub async fn take_window_turn(
        &self,
        maintenance: MaintenanceId,
        runs_at_once: u32,
    ) -> Result<(), Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        lock_turns(&transaction).await?;
        let before_it: i64 = transaction
            .query_one(BEFORE_IT, &[&maintenance.0])
            .await
            .map_err(Error::query("count the maintenances before this one"))?
            .get(0);
        if before_it >= i64::from(runs_at_once) {
            let going_on = before_it;
            return Err(Error::NoTurn { going_on });
        }
        let nobody = None::<&str>;
        transaction
            .execute(GO_ON, &[&maintenance.0, &nobody, &nobody])
            .await
            .map_err(Error::query("go on with a maintenance"))?;
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit the turn of a maintenance"))
    }

    /// A person does not wait for the window. False if nothing of the database waits for one.
    pub async fn go_on_now(
        &self,
        database: DatabaseId,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<bool, Error> {
        let client = self.client().await?;
        let went_on = client
            .execute(GO_ON_WITH_DATABASE, &[&database.0, &Some(by), &request_id])
            .await;
        let went_on = went_on.map_err(Error::query("go on with a maintenance now"))?;
        Ok(went_on > 0)
    }
}
