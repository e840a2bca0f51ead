//! Settings beside what the files say of them, and what runs inside the server by itself.

use upkeep_domain::preflight::{Facts, Floor};

use super::Inside;
use crate::session::{self, truth, value};

/// What the files say of a setting that waits for a restart; it is no error.
const WAITS: &str = "setting could not be applied";

/// <https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN>
const FLOORS: &str = "'max_connections', 'max_worker_processes', 'max_wal_senders', \
    'max_prepared_transactions', 'max_locks_per_transaction'";

/// Processes that are PostgreSQL's own.
const KNOWN: &str = "'client backend', 'autovacuum launcher', 'autovacuum worker', \
    'logical replication launcher', 'logical replication worker', \
    'logical replication apply worker', 'logical replication parallel worker', \
    'logical replication tablesync worker', 'logical replication table synchronization worker', \
    'parallel worker', 'background writer', 'checkpointer', 'archiver', 'startup', 'walreceiver', \
    'walsender', 'walwriter', 'walsummarizer', 'slotsync worker', 'io worker', 'logger', \
    'standalone backend'";

pub(super) async fn add(inside: &Inside, facts: &mut Facts) -> Result<(), session::Error> {
    let floors = format!(
        "SELECT s.name, s.setting, f.setting, f.sourcefile LIKE '%/postgresql.auto.conf' \
         FROM pg_catalog.pg_settings s LEFT JOIN LATERAL \
           (SELECT setting, sourcefile FROM pg_catalog.pg_file_settings \
             WHERE name = s.name AND coalesce(error, '{WAITS}') = '{WAITS}' \
             ORDER BY seqno DESC LIMIT 1) f ON true \
         WHERE s.name IN ({FLOORS}) ORDER BY 1"
    );
    facts.floors = inside
        .rows(&floors)
        .await?
        .iter()
        .filter_map(|row| {
            Some(Floor {
                name: value(row, 0)?,
                running: value(row, 1)?,
                on_file: value(row, 2),
                by_system: truth(row, 3).unwrap_or_default(),
            })
        })
        .collect();
    let jobs = format!(
        "SELECT DISTINCT backend_type FROM pg_catalog.pg_stat_activity \
         WHERE backend_type NOT IN ({KNOWN})"
    );
    facts.background_jobs = inside.list(&jobs).await?;
    let tablespaces = "SELECT pg_catalog.quote_ident(spcname) FROM pg_catalog.pg_tablespace \
        WHERE spcname NOT IN ('pg_default', 'pg_global')";
    facts.tablespaces = inside.list(tablespaces).await?;
    Ok(())
}
