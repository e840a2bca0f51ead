//! Runs that were begun before their window, to prepare for it: what they wait for, and who lets them go on.
//!
//! Until then their maintenance is `preparing` or `ready`, and in nobody's way; from then on it is `running`.

use jiff::Timestamp;
use tokio_postgres::Row;
use upkeep_domain::id::{DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Requirement;
use upkeep_domain::maintenance::reason::Kind;
use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::{PREPARING, Step};

use super::begin::lock_turns;
use crate::outbox::about;
use crate::requirements::requirement;
use crate::statements::Ask as _;
use crate::{Error, Store};

/// What a run waits for that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowWait {
    pub opens_at: Timestamp,
    /// Later than that it would not end within the window.
    pub until: Timestamp,
    pub now: Timestamp,
    /// Somebody wants it now.
    pub emergency: Option<Requirement>,
}

const READY: &str = "
    WITH u AS (UPDATE upkeep.maintenances SET status = 'ready' WHERE id = $1 AND status = 'preparing')
    SELECT m.scheduled_for, m.go_on_until AS until, now() AS now,
           q.because, q.emergency, q.required_by AS requirer, q.created_at AS required_since
    FROM upkeep.maintenances m
    LEFT JOIN upkeep.requirements q ON q.database_id = m.database_id AND q.emergency AND NOT EXISTS (
        SELECT FROM upkeep.maintenances d
        WHERE d.database_id = q.database_id AND d.outcome = 'succeeded' AND d.started_at >= q.created_at)
    WHERE m.id = $1 AND m.status IN ('preparing', 'ready') AND m.go_on_until IS NOT NULL";

/// Others that go on, and those whose turn comes first; but for those of its family that wait for it.
const BEFORE_IT: &str = "
    SELECT count(*) FROM upkeep.workflows w
    JOIN upkeep.maintenances m ON m.id = w.maintenance_id
    JOIN upkeep.maintenances own ON own.id = $1
    JOIN upkeep.workflows o ON o.maintenance_id = own.id AND o.ended_as IS NULL
    WHERE w.ended_as IS NULL AND m.id <> own.id AND NOT (w.family = o.family AND w.ticket > o.ticket)
      AND (m.status = 'running' OR m.status = 'ready' AND m.scheduled_for <= now()
           AND (m.required_by, m.scheduled_for, m.id) < (own.required_by, own.scheduled_for, own.id))";

/// What waits, or is on its way to that, and has not been called off, goes on; people hear of it in these words, in
/// their order. `$2` are the steps in which nobody feels anything yet.
macro_rules! go_on {
    (which: $which:literal, changes: $changes:literal, told: $told:literal) => {
        concat!(
            "
    WITH m AS (
        UPDATE upkeep.maintenances m SET status = 'running', started_at = clock_timestamp()",
            $changes,
            " FROM upkeep.workflows w
        WHERE ",
            $which,
            " AND w.maintenance_id = m.id AND w.ended_as IS NULL AND w.cancelled_by IS NULL
          AND m.status IN ('preparing', 'ready') AND w.step = ANY ($2)
        RETURNING m.*, w.id AS workflow_id)
    INSERT INTO upkeep.outbox (workflow_id, database_id, kind, body)
    SELECT m.workflow_id, m.database_id, t.kind, ",
            about!(),
            " FROM m, (VALUES ",
            $told,
            ") AS t (place, kind) ORDER BY t.place"
        )
    };
}

const IN_ITS_WINDOW: &str = go_on!(
    which: "m.id = $1 AND now() <= $3",
    changes: "",
    told: "(1, 'maintenance_started')"
);
const FOR_A_PERSON: &str = go_on!(
    which: "m.database_id = $1",
    changes: ", begun_by = $3, request_id = coalesce($4, m.request_id)",
    told: "(1, 'maintenance_started')"
);
const IN_EMERGENCY: &str = go_on!(
    which: "m.id = $1",
    changes: ", reason = $3, reason_because = $4",
    told: "(1, 'maintenance_emergency'), (2, 'maintenance_started')"
);

impl Store {
    /// It is ready, unless it may go on already: then there is nothing to wait for.
    pub async fn ready(&self, maintenance: MaintenanceId) -> Result<Option<WindowWait>, Error> {
        let client = self.client().await?;
        let row = client.query_opt(READY, &[&maintenance.0]).await;
        let row = row.map_err(Error::query("mark a maintenance as ready"))?;
        Ok(row.as_ref().map(WindowWait::from_row))
    }

    /// Its window is open: it goes on if it is its turn. False if it is too late for that, or called off.
    ///
    /// # Errors
    /// [`Error::NoTurn`] with how many are before it.
    pub async fn take_window_turn(
        &self,
        maintenance: MaintenanceId,
        until: Timestamp,
        runs_at_once: u32,
    ) -> Result<bool, Error> {
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
        let steps = waiting_steps();
        let went_on = transaction
            .execute(IN_ITS_WINDOW, &[&maintenance.0, &steps, &until])
            .await
            .map_err(Error::query("go on with a maintenance"))?;
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit the turn of a maintenance"))?;
        Ok(went_on > 0)
    }

    /// An emergency does not wait for a window, nor for a turn. `because` is its reason, for people.
    pub async fn go_on_in_emergency(
        &self,
        maintenance: MaintenanceId,
        because: &str,
    ) -> Result<(), Error> {
        let (steps, reason) = (waiting_steps(), Kind::Emergency.as_str());
        let client = self.client().await?;
        let went_on = client
            .execute(IN_EMERGENCY, &[&maintenance.0, &steps, &reason, &because])
            .await;
        went_on.map_err(Error::query("go on with a maintenance in an emergency"))?;
        Ok(())
    }

    /// A person does not wait for the window. False if nothing of the database waits for one.
    pub async fn go_on_now(
        &self,
        database: DatabaseId,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<bool, Error> {
        let steps = waiting_steps();
        let client = self.client().await?;
        let went_on = client
            .execute(FOR_A_PERSON, &[&database.0, &steps, &by, &request_id])
            .await;
        let went_on = went_on.map_err(Error::query("go on with a maintenance now"))?;
        Ok(went_on > 0)
    }
}

fn waiting_steps() -> Vec<&'static str> {
    let steps = PREPARING.into_iter().chain([Step::AwaitWindow]);
    steps.map(|step| step.spec().name).collect()
}

impl WindowWait {
    fn from_row(row: &Row) -> Self {
        Self {
            opens_at: row.get("scheduled_for"),
            until: row.get("until"),
            now: row.get("now"),
            emergency: requirement(row),
        }
    }
}
