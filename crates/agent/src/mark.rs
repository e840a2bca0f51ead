//! The marker of a switch, and the proof that a standby has it.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::host_command::{Answer, HostError};
use upkeep_domain::lsn::{Lsn, TimelineId};

use crate::control_data::ControlData;
use crate::fault::{OrFailed, failed};
use crate::host::Instance;
use crate::pause::{LOOK_EVERY, pause};
use crate::session::value;

const ASK_WITHIN: Duration = Duration::from_secs(2);
/// A commit flushes what came before it, not what a process of the server writes while we look.
const TRIES: u32 = 7;
/// So many of them move the marker; see [`mark`].
const TRIES_ANEW: u32 = 3;

const COMMIT: &str = "SELECT pg_catalog.pg_logical_emit_message(true, 'upkeep', 'marker')";
const POSITIONS: &str = "SELECT pg_catalog.pg_current_wal_insert_lsn(), \
    pg_catalog.pg_current_wal_flush_lsn(), \
    ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4";
const RECEIVED: &str = "SELECT greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()), \
    coalesce((SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver), \
             (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()))";

/// A synchronous commit of ours, then the place where the next record will begin, all of it flushed.
/// The first tries mark anew, for a commit of ours behind the marker would look like one of a client. Where somebody
/// writes all the time the marker stays, and what is flushed grows beyond it.
pub(crate) async fn mark(instance: &Instance) -> Result<Answer, HostError> {
    let session = instance.answering().await?;
    let strange = || failed("the server does not say where its write-ahead log ends");
    let mut marker = Lsn(0);
    for tried in 1..=TRIES {
        session.run(COMMIT, ASK_WITHIN).await.or_failed()?;
        let row = session.row(POSITIONS, ASK_WITHIN).await.or_failed()?;
        let here: Lsn = value(&row, 0).ok_or_else(strange)?;
        let flushed: Lsn = value(&row, 1).ok_or_else(strange)?;
        let timeline = value(&row, 2).map(TimelineId).ok_or_else(strange)?;
        if tried <= TRIES_ANEW {
            marker = here;
        }
        if flushed >= marker.as_record_end() {
            let system_identifier = system_identifier(instance)?;
            return Ok(Answer::Marked {
                lsn: marker,
                timeline,
                system_identifier,
            });
        }
    }
    Err(failed(format!(
        "the write-ahead log up to {marker} was not flushed by {TRIES} commits of ours"
    )))
}

/// Looks until it is there or the time is over; the answer says which.
pub(crate) async fn received(
    instance: &Instance,
    wanted: Lsn,
    wait_ms: u64,
) -> Result<Answer, HostError> {
    let session = instance.answering().await?;
    let system_identifier = system_identifier(instance)?;
    let until = Instant::now() + Duration::from_millis(wait_ms);
    loop {
        let row = session.row(RECEIVED, ASK_WITHIN).await.or_failed()?;
        let (lsn, timeline) = (value::<Lsn>(&row, 0), value(&row, 1).map(TimelineId));
        let received = lsn.is_some_and(|lsn| lsn >= wanted.as_record_end());
        if received || Instant::now() >= until {
            return Ok(Answer::Received {
                received,
                lsn,
                timeline,
                system_identifier,
            });
        }
        pause(LOOK_EVERY).await;
    }
}

fn system_identifier(instance: &Instance) -> Result<u64, HostError> {
    Ok(ControlData::read(&instance.places.data())
        .or_failed()?
        .system_identifier)
}
