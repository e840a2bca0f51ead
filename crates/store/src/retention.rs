//! Retention: what is over for long is forgotten, so that our own state does not grow for ever.
//!
//! Maintenances stay, with their outcome, their times and their preflights: they are the history.

use std::time::Duration;

use crate::statements::Ask as _;
use crate::{Error, Store};

/// Work that is unfinished, the last that was done to a database, and that of its newest maintenance
/// stay whatever their age. Events go with their workflow.
const FORGET_WORKFLOWS: &str = "
    DELETE FROM upkeep.workflows WHERE id IN (
        SELECT w.id FROM upkeep.workflows w
        WHERE w.ended_as IN ('succeeded', 'rolled_back')
          AND w.ended_at < now() - $1::bigint * interval '1 millisecond'
          AND w.id <> (SELECT id FROM upkeep.workflows
                       WHERE database_id = w.database_id ORDER BY created_at DESC, id DESC LIMIT 1)
          AND (w.maintenance_id IS NULL OR w.maintenance_id <>
                  (SELECT id FROM upkeep.maintenances
                   WHERE database_id = w.database_id AND started_at IS NOT NULL
                   ORDER BY started_at DESC, id DESC LIMIT 1))
        ORDER BY w.ended_at LIMIT $2)";

const FORGET_NOTICES: &str = "
    DELETE FROM upkeep.outbox WHERE id IN (
        SELECT id FROM upkeep.outbox
        WHERE created_at < now() - $1::bigint * interval '1 millisecond' ORDER BY id LIMIT $2)";

impl Store {
    /// Forgets workflows that ended longer ago than that, and notices that are older. At most so many
    /// of each at a time; says how many it were.
    pub async fn forget(&self, older_than: Duration, at_most: u32) -> Result<u64, Error> {
        let (age_ms, limit) = (older_than.as_millis() as i64, i64::from(at_most));
        let client = self.client().await?;
        let mut forgotten = 0;
        for statement in [FORGET_WORKFLOWS, FORGET_NOTICES] {
            forgotten += client
                .execute(statement, &[&age_ms, &limit])
                .await
                .map_err(Error::query("forget what is over for long"))?;
        }
        Ok(forgotten)
    }
}
