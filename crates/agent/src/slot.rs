//! Physical replication slots, which keep WAL for a copy; and CHECKPOINT.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::host_command::{Answer, HostError, Outcome};

use crate::configuration::literal;
use crate::fault::{OrFailed, failed};
use crate::host::Instance;
use crate::pause::pause;
use crate::record::Record;
use crate::session::{self, Session, truth};

const ASK_WITHIN: Duration = Duration::from_secs(5);
const DROP_WITHIN: Duration = Duration::from_secs(10);
const TRY_EVERY: Duration = Duration::from_millis(20);
/// A spread checkpoint that is under way is waited for.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(3_500);

/// On the source of a copy; reserves WAL at once.
pub(crate) async fn ensure(session: &Session, slot: &str) -> Result<(), session::Error> {
    let name = literal(slot);
    let look = format!("SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {name}");
    if session.rows(&look, ASK_WITHIN).await?.is_empty() {
        let make = format!("SELECT pg_catalog.pg_create_physical_replication_slot({name}, true)");
        session.run(&make, ASK_WITHIN).await?;
    }
    Ok(())
}

/// Whether logical slots of `source` can be synchronised to a copy that may be promoted.
///
/// Source: <https://www.postgresql.org/docs/17/logicaldecoding-explanation.html#LOGICALDECODING-REPLICATION-SLOTS-SYNCHRONIZATION>
pub(crate) async fn can_sync(source: &Session, record: &Record) -> Result<bool, session::Error> {
    const LOOK: &str = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000 \
        AND pg_catalog.current_setting('wal_level') = 'logical'";
    if !record.takes_over {
        return Ok(false);
    }
    let row = source.row(LOOK, ASK_WITHIN).await?;
    Ok(truth(&row, 0) == Some(true))
}

/// As JSON, because the columns came with 17.
pub(crate) async fn failover(instance: &Instance) -> Result<Answer, HostError> {
    const LOOK: &str = "SELECT slot_name FROM pg_catalog.pg_replication_slots s, \
          LATERAL (SELECT pg_catalog.to_jsonb(s) AS j) AS json \
        WHERE NOT temporary AND (j ->> 'failover')::pg_catalog.bool AND j ->> 'invalidation_reason' IS NULL \
          AND ((j ->> 'synced')::pg_catalog.bool OR NOT pg_catalog.pg_is_in_recovery())";
    instance.complete_record()?;
    instance.refuse_frozen()?;
    let session = instance.session().await.or_failed()?;
    let rows = session.rows(LOOK, ASK_WITHIN).await.or_failed()?;
    let names = rows
        .iter()
        .filter_map(|row| session::value(row, 0))
        .collect();
    Ok(Answer::FailoverSlots { names })
}

/// Ends whoever streams from it first. No slot, or no instance, is fine.
pub(crate) async fn drop(instance: &Instance, slot: &str) -> Result<Outcome, HostError> {
    if Record::read(&instance.places).or_failed()?.is_none() {
        return Ok(Outcome::Done);
    }
    let session = instance.answering().await?;
    let name = literal(slot);
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(active_pid), active_pid IS NULL \
         FROM pg_catalog.pg_replication_slots WHERE slot_name = {name}"
    );
    let until = Instant::now() + DROP_WITHIN;
    loop {
        let Some(row) = session.rows(&end, ASK_WITHIN).await.or_failed()?.pop() else {
            return Ok(Outcome::Done);
        };
        if truth(&row, 1) == Some(true) {
            let gone = format!("SELECT pg_catalog.pg_drop_replication_slot({name})");
            // A standby may have come back in between: look again.
            if session.run(&gone, ASK_WITHIN).await.is_ok() {
                return Ok(Outcome::Done);
            }
        }
        if Instant::now() > until {
            return Err(failed(format!(
                "slot `{slot}` is in use again each time its user is ended"
            )));
        }
        pause(TRY_EVERY).await;
    }
}

pub(crate) async fn checkpoint(instance: &Instance, times: u8) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    instance.refuse_frozen()?;
    let session = instance.own_session().await.or_failed()?;
    for _ in 0..times {
        session
            .run("CHECKPOINT", CHECKPOINT_WITHIN)
            .await
            .or_failed()?;
    }
    Ok(Outcome::Done)
}
