//! Committing a step: state, next step, events and changes in one transaction.
//!
//! While clients are held every millisecond counts, so a step without changes is one statement.

use std::time::Duration;

use serde_json::{Value, json};
use upkeep_domain::procedure::End;

use super::{Change, Claim};
use crate::events::EventKind;
use crate::outbox::about;
use crate::statements::Ask as _;
use crate::{Error, Store};

/// An event that is about to be recorded.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub step: &'static str,
    pub kind: EventKind,
    pub sentence: String,
    pub detail: Value,
}

/// Where a workflow goes on, or how it ended.
#[derive(Clone, Debug)]
pub struct Transition {
    pub step: &'static str,
    pub visit: u32,
    pub tries: u32,
    /// A new step's time begins now.
    pub new_step: bool,
    pub state: Value,
    pub ended_as: Option<End>,
    /// Why it could not go on as asked, for people.
    pub failure: Option<String>,
    /// Not before that long from now.
    pub pause: Duration,
    pub events: Vec<NewEvent>,
    pub changes: Vec<Change>,
}

/// A commit whose answer was lost is made again, and then has moved already: its events are recorded
/// once.
const COMMIT: &str = "
    WITH w AS (
        UPDATE upkeep.workflows u SET step = $3, visit = $4, tries = $5,
               step_began_at = CASE WHEN $6 THEN now() ELSE step_began_at END,
               state = $7, ended_as = $8, failure = coalesce($9, failure),
               wake_at = now() + $10::bigint * interval '1 millisecond',
               ended_at = CASE WHEN $8::text IS NULL THEN NULL ELSE now() END,
               leased_until = CASE WHEN $8::text IS NULL THEN leased_until ELSE NULL END
        FROM (SELECT id, step, visit, tries FROM upkeep.workflows WHERE id = $1 FOR UPDATE) before
        WHERE u.id = before.id AND u.generation = $2 AND u.ended_as IS NULL
        RETURNING u.id, u.database_id, u.cancelled_by, u.ended_as IS NOT NULL
            OR (before.step, before.visit, before.tries) IS DISTINCT FROM (u.step, u.visit, u.tries) AS moved),
    e AS (
        INSERT INTO upkeep.events (workflow_id, database_id, step, kind, sentence, detail)
        SELECT w.id, w.database_id, n.step, n.kind, n.sentence, n.detail
        FROM w, pg_catalog.jsonb_to_recordset($11)
             AS n(step text, kind text, sentence text, detail jsonb)
        WHERE w.moved)
    SELECT cancelled_by FROM w";

/// The maintenance's outcome, how its time was spent (from the events), and the notice of it.
const END_MAINTENANCE: &str = concat!(
    "
    WITH m AS (
    UPDATE upkeep.maintenances m SET outcome = $2,
           status = CASE $2 WHEN 'succeeded' THEN 'completed' WHEN 'stuck' THEN 'running' ELSE 'pending' END,
           completed_at = CASE $2 WHEN 'stuck' THEN NULL ELSE now() END,
           sentence = (SELECT failure FROM upkeep.workflows WHERE id = $3),
           steps_ms = (
               SELECT pg_catalog.jsonb_object_agg(s.step, s.ms) FROM (
                   SELECT step, sum((detail ->> 'ms')::double precision) AS ms FROM upkeep.events
                   WHERE workflow_id = $3 AND kind IN ('done', 'again', 'failed') AND detail ? 'ms' GROUP BY step) s)
    WHERE m.id = $1 RETURNING m.*)
    INSERT INTO upkeep.outbox (workflow_id, database_id, kind, body)
    SELECT $3, m.database_id, 'maintenance_' || $2, ",
    about!(),
    " || pg_catalog.jsonb_build_object('cancelled_by', (SELECT cancelled_by FROM upkeep.workflows WHERE id = $3))
    FROM m"
);

impl Store {
    /// Tells who has called it off meanwhile.
    ///
    /// # Errors
    /// [`Error::ClaimLost`] when another controller has claimed it since; nothing was written.
    pub async fn commit(
        &self,
        claim: &Claim,
        transition: &Transition,
    ) -> Result<Option<String>, Error> {
        let ended_as = transition.ended_as.map(|end| end.to_string());
        let events = Value::Array(transition.events.iter().map(event_json).collect());
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 11] = [
            &claim.workflow.0,
            &(claim.fence.0 as i64),
            &transition.step,
            &(transition.visit as i32),
            &(transition.tries as i32),
            &transition.new_step,
            &transition.state,
            &ended_as,
            &transition.failure,
            &(transition.pause.as_millis() as i64),
            &events,
        ];
        if transition.changes.is_empty() && (ended_as.is_none() || claim.maintenance.is_none()) {
            let client = self.client().await?;
            let row = client
                .query_opt(COMMIT, &parameters)
                .await
                .map_err(Error::query("commit a step"))?;
            return row.map(|row| row.get(0)).ok_or(Error::ClaimLost);
        }
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        let row = transaction
            .query_opt(COMMIT, &parameters)
            .await
            .map_err(Error::query("commit a step"))?;
        let row = row.ok_or(Error::ClaimLost)?;
        for change in &transition.changes {
            change.apply(&transaction, claim).await?;
        }
        if let (Some(ended_as), Some(maintenance)) = (&ended_as, claim.maintenance) {
            transaction
                .execute(
                    END_MAINTENANCE,
                    &[&maintenance.0, ended_as, &claim.workflow.0],
                )
                .await
                .map_err(Error::query("end a maintenance"))?;
        }
        transaction
            .commit()
            .await
            .map_err(Error::query("commit a step"))?;
        Ok(row.get(0))
    }

    /// Records what a running step waits for. Lost with the claim, and no harm done.
    pub async fn note(&self, claim: &Claim, event: &NewEvent) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "INSERT INTO upkeep.events (workflow_id, database_id, step, kind, sentence, detail)
                 SELECT id, database_id, $3, $4, $5, $6 FROM upkeep.workflows WHERE id = $1 AND generation = $2",
                &[
                    &claim.workflow.0,
                    &(claim.fence.0 as i64),
                    &event.step,
                    &event.kind.as_str(),
                    &event.sentence,
                    &event.detail,
                ],
            )
            .await
            .map_err(Error::query("record an event"))?;
        Ok(())
    }
}

fn event_json(event: &NewEvent) -> Value {
    json!({ "step": event.step, "kind": event.kind.as_str(), "sentence": event.sentence, "detail": event.detail })
}
