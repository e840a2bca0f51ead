//! Calling a run off: a mark on the row, which whoever runs it sees at its next commit or renewal. Only a run that
//! can still be undone is marked, so that a mark tells why it was.

use std::time::Duration;

use upkeep_domain::id::DatabaseId;

use crate::statements::Ask as _;
use crate::{Error, Store};

impl Store {
    /// Marks the maintenance that is going on, if it is at one of these steps (`procedure.step`). False when it
    /// is at another one, or there is none.
    pub async fn cancel(
        &self,
        database: DatabaseId,
        by: &str,
        undoable: &[String],
    ) -> Result<bool, Error> {
        let marked = self
            .client()
            .await?
            .execute(
                "UPDATE upkeep.workflows SET cancelled_by = $2
                 WHERE database_id = $1 AND maintenance_id IS NOT NULL AND ended_as IS NULL
                   AND procedure || '.' || step = ANY ($3)",
                &[&database.0, &by, &undoable],
            )
            .await
            .map_err(Error::query("call a maintenance off"))?;
        Ok(marked > 0)
    }

    /// Marks every maintenance that `begun_by` has begun, whose window, of that length, is over, and that is at one
    /// of these steps; what is done in an emergency goes on. Tells how many.
    pub async fn cancel_overrun(
        &self,
        begun_by: &str,
        window: Duration,
        by: &str,
        undoable: &[String],
    ) -> Result<u64, Error> {
        self.client()
            .await?
            .execute(
                "UPDATE upkeep.workflows w SET cancelled_by = $3 FROM upkeep.maintenances m
                 WHERE m.id = w.maintenance_id AND w.ended_as IS NULL AND w.cancelled_by IS NULL
                   AND m.begun_by = $1 AND m.scheduled_for + $2::bigint * interval '1 millisecond' <= now()
                   AND w.procedure || '.' || w.step = ANY ($4)
                   AND NOT EXISTS (SELECT FROM upkeep.requirements q
                                   WHERE q.database_id = m.database_id AND q.emergency AND q.created_at <= m.started_at)",
                &[
                    &begun_by,
                    &(window.as_millis() as i64),
                    &by,
                    &undoable,
                ],
            )
            .await
            .map_err(Error::query("call off what outruns its window"))
    }
}
