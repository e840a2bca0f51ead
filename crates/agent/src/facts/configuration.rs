//! Settings beside what the files say of them, and what runs inside the server by itself.

use upkeep_domain::preflight::Facts;

use super::Inside;
use crate::floors;
use crate::session;

/// Processes that are PostgreSQL's own.
const KNOWN: &str = "'client backend', 'autovacuum launcher', 'autovacuum worker', \
    'logical replication launcher', 'logical replication worker', \
    'logical replication apply worker', 'logical replication parallel worker', \
    'logical replication tablesync worker', 'logical replication table synchronization worker', \
    'parallel worker', 'background writer', 'checkpointer', 'archiver', 'startup', 'walreceiver', \
    'walsender', 'walwriter', 'walsummarizer', 'slotsync worker', 'io worker', 'logger', \
    'standalone backend'";

pub(super) async fn add(inside: &Inside, facts: &mut Facts) -> Result<(), session::Error> {
    facts.floors = floors::read(&inside.0).await?;
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
