//! Slots, standbys, prepared transactions and the archive.

use upkeep_domain::preflight::{Archiving, Facts, PreparedTransaction, Slot};

use super::Inside;
use crate::session::{self, Row, text, truth, value};

/// As JSON, because the column came with 17.
const SLOTS: &str = "SELECT slot_name, plugin, active, \
    coalesce((pg_catalog.to_jsonb(s) ->> 'failover')::pg_catalog.bool, false), \
    pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() \
      THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, \
      restart_lsn)::pg_catalog.int8, wal_status \
    FROM pg_catalog.pg_replication_slots s WHERE NOT temporary ORDER BY 1";

const PREPARED: &str = "SELECT gid, \
    extract(epoch FROM pg_catalog.clock_timestamp() - prepared)::pg_catalog.int8 \
    FROM pg_catalog.pg_prepared_xacts ORDER BY prepared";

const STANDBYS: &str = "SELECT pg_catalog.current_setting('synchronous_standby_names'), \
    pg_catalog.current_setting('synchronized_standby_slots', true)";

/// While archiving is off the command shows as `(disabled)`.
const ARCHIVING: &str = "SELECT pg_catalog.current_setting('archive_mode') <> 'off', \
    pg_catalog.current_setting('archive_command') NOT IN ('', '(disabled)') \
      OR coalesce(pg_catalog.current_setting('archive_library', true), '') <> '', \
    failed_count, \
    CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN last_failed_wal END \
    FROM pg_catalog.pg_stat_archiver";

pub(super) async fn add(inside: &Inside, facts: &mut Facts) -> Result<(), session::Error> {
    facts.slots = inside.rows(SLOTS).await?.iter().map(slot).collect();
    let prepared = inside.rows(PREPARED).await?;
    facts.prepared_transactions = prepared
        .iter()
        .map(|row| PreparedTransaction {
            gid: value(row, 0).unwrap_or_default(),
            age_s: value::<i64>(row, 1).unwrap_or_default().max(0) as u64,
        })
        .collect();
    let standbys = inside.row(STANDBYS).await?;
    text(&standbys, 0)?.clone_into(&mut facts.synchronous_standby_names);
    let waited_for: String = value(&standbys, 1).unwrap_or_default();
    facts.synchronized_standby_slots = waited_for
        .split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let archiving = inside.row(ARCHIVING).await?;
    facts.archiving = Archiving {
        on: truth(&archiving, 0).unwrap_or_default(),
        configured: truth(&archiving, 1).unwrap_or_default(),
        failed_count: value(&archiving, 2).unwrap_or_default(),
        failing: value(&archiving, 3),
    };
    Ok(())
}

fn slot(row: &Row) -> Slot {
    Slot {
        name: value(row, 0).unwrap_or_default(),
        plugin: value(row, 1),
        active: truth(row, 2).unwrap_or_default(),
        failover: truth(row, 3).unwrap_or_default(),
        retained_bytes: value::<i64>(row, 4).map(|bytes| bytes.max(0) as u64),
        wal_status: value(row, 5),
    }
}
