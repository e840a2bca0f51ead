//! Calling a run off: a mark on the row, which whoever runs it sees at its next commit or renewal.

use std::time::Duration;

use upkeep_domain::id::DatabaseId;

use crate::{Error, Store};

/// A maintenance that was asked to be called off, and where it was just then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelling {
    pub procedure: String,
    pub step: String,
}

impl Store {
    /// Marks the maintenance that is going on; `None` when there is none.
    pub async fn cancel(
        &self,
        database: DatabaseId,
        by: &str,
    ) -> Result<Option<Cancelling>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "UPDATE upkeep.workflows SET cancelled_by = $2
                 WHERE database_id = $1 AND maintenance_id IS NOT NULL AND ended_as IS NULL
                 RETURNING procedure, step",
                &[&database.0, &by],
            )
            .await
            .map_err(Error::query("call a maintenance off"))?;
        Ok(row.map(|row| Cancelling {
            procedure: row.get(0),
            step: row.get(1),
        }))
    }

    /// Marks every maintenance that `begun_by` has begun and whose window, of that length, is over.
    pub async fn cancel_overrun(
        &self,
        begun_by: &str,
        window: Duration,
        by: &str,
    ) -> Result<u64, Error> {
        self.client()
            .await?
            .execute(
                "UPDATE upkeep.workflows w SET cancelled_by = $3 FROM upkeep.maintenances m
                 WHERE m.id = w.maintenance_id AND w.ended_as IS NULL AND w.cancelled_by IS NULL
                   AND m.begun_by = $1 AND m.scheduled_for + $2::bigint * interval '1 millisecond' <= now()",
                &[&begun_by, &(window.as_millis() as i64), &by],
            )
            .await
            .map_err(Error::query("call off what outruns its window"))
    }
}
