//! Takes over what people have set on a standby's upstream since it was copied: `ALTER SYSTEM` and edits of
//! files write no WAL, so that a promotion would silently undo them.
//!
//! What is true of the upstream only stays there.

use std::time::Duration;

use upkeep_domain::host_command::HostError;

use crate::configuration::travelling;
use crate::copy::refuse_another_cluster;
use crate::fault::{OrFailed, failed};
use crate::host::{Host, Instance};
use crate::record::Record;
use crate::session::Session;
use crate::{durable, known_good, slot};

const ASK_WITHIN: Duration = Duration::from_secs(5);
const BYTES_MAX: u32 = 16 << 20;

/// True if that changes something, which takes effect at the next start.
pub(crate) async fn inherit(
    host: &Host,
    instance: &Instance,
    record: &mut Record,
) -> Result<bool, HostError> {
    let Some(upstream) = &record.upstream else {
        return Ok(false);
    };
    let source = Session::open_unchecked(&upstream.address, "postgres").await;
    let source = source.or_failed()?;
    refuse_another_cluster(instance, &source).await?;
    let syncs_slots = slot::can_sync(&source, record).await.or_failed()?;
    let mut changed = syncs_slots != record.syncs_slots;
    record.syncs_slots = syncs_slots;
    for name in known_good::FILES {
        let Some(theirs) = read(&source, name).await? else {
            continue;
        };
        let theirs = travelling(&theirs);
        let path = instance.places.data().join(name);
        if std::fs::read(&path).is_ok_and(|ours| ours == theirs) {
            continue;
        }
        durable::write(&path, &theirs, 0o600, host.run_as.as_ref()).or_failed()?;
        changed = true;
    }
    Ok(changed)
}

/// Bytes, because nobody says in which encoding they are.
async fn read(source: &Session, name: &str) -> Result<Option<Vec<u8>>, HostError> {
    let sql = format!(
        "SELECT pg_catalog.encode(pg_catalog.pg_read_binary_file('{name}', 0, {BYTES_MAX}, true), 'hex')"
    );
    let row = source.row(&sql, ASK_WITHIN).await.or_failed()?;
    let Some(hex) = row.into_iter().next().flatten() else {
        return Ok(None);
    };
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16);
    let bytes: Result<Vec<u8>, _> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes
        .map(Some)
        .map_err(|_| failed("the server wrote a file in other digits than asked for"))
}
