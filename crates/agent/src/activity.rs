//! What goes on inside an instance: what could delay a switch, and what a database takes up.

use std::time::Duration;

use upkeep_domain::host_command::{Activity, Answer, HostError, Usage};

use crate::configuration::{SUPERUSER, literal};
use crate::fault::OrFailed;
use crate::host::Instance;
use crate::identity;
use crate::session::{Session, value};

const ASK_WITHIN: Duration = Duration::from_secs(5);

/// In SQL, of a row of `pg_stat_activity`: the statement without its values, which may be anybody's secrets. Where
/// they are not easily told from the rest (comments, dollar quotes, backslashes), its first word.
/// <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>
const FINGERPRINT: &str = r"pg_catalog.left(pg_catalog.regexp_replace(CASE
    WHEN query ~ '\\|--|/\*|\$[^0-9]' THEN pg_catalog.substring(query, '\w+') || ' ...'
    ELSE pg_catalog.regexp_replace(pg_catalog.regexp_replace(query, '''[^'']*(''|$)', '?', 'g'), '\m[0-9][0-9.]*', '?', 'g')
    END, '\s+', ' ', 'g'), 120)";

pub(crate) async fn activity(instance: &Instance, dbname: &str) -> Result<Answer, HostError> {
    let session = instance.answering().await?;
    let dbname = literal(dbname);
    // Only our own role can log in other than through the endpoint: the socket's folder is closed
    // to everybody else. Such a session is one of a person who works on the host.
    let bypassing = format!(
        "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend' \
         AND usename = '{SUPERUSER}' AND application_name <> 'upkeep'"
    );
    let bypassing = session.row(&bypassing, ASK_WITHIN).await.or_failed()?;
    let (oldest_transaction_ms, oldest_transaction) = oldest(&session, &dbname).await?;
    let activity = Activity {
        oldest_transaction_ms,
        oldest_transaction,
        bypassing_sessions: value(&bypassing, 0).unwrap_or_default(),
    };
    Ok(Answer::Activity { activity })
}

pub(crate) async fn oldest(
    session: &Session,
    dbname: &str,
) -> Result<(Option<u64>, Option<String>), HostError> {
    let sql = format!(
        "SELECT (extract(epoch FROM pg_catalog.clock_timestamp() - xact_start) * 1000)::pg_catalog.int8, \
         pg_catalog.format('role `%s`, application `%s` (%s: %s)', usename, application_name, state, {FINGERPRINT}) \
         FROM pg_catalog.pg_stat_activity WHERE datname = {dbname} AND xact_start IS NOT NULL \
         AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() \
         ORDER BY xact_start LIMIT 1"
    );
    let row = session
        .rows(&sql, ASK_WITHIN)
        .await
        .or_failed()?
        .pop()
        .unwrap_or_default();
    Ok((
        value::<i64>(&row, 0).map(|ms| ms.max(0) as u64),
        value(&row, 1),
    ))
}

/// Tables that a promotion would empty, by name.
pub(crate) const UNLOGGED: &str = "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relpersistence = 'u' AND c.relkind = 'r' AND pg_catalog.pg_relation_size(c.oid) > 0";

/// Tables are seen from inside their database only.
pub(crate) async fn inside(instance: &Instance, dbname: &str) -> Result<Session, HostError> {
    let identity = identity::read(&instance.places.data()).or_failed()?;
    Session::open_in(&instance.places.address(), &identity, dbname)
        .await
        .or_failed()
}

pub(crate) async fn usage(instance: &Instance, dbname: &str) -> Result<Answer, HostError> {
    instance.complete_record()?;
    instance.refuse_frozen()?;
    let session = inside(instance, dbname).await?;
    let sql = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database()), \
        (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() \
           AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()), \
        (SELECT count(*) FROM pg_catalog.pg_stat_user_tables), \
        pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())";
    let row = session.row(sql, ASK_WITHIN).await.or_failed()?;
    let usage = Usage {
        size_bytes: value(&row, 0).unwrap_or_default(),
        connections: value(&row, 1).unwrap_or_default(),
        tables: value(&row, 2).unwrap_or_default(),
        next_transaction: value(&row, 3).unwrap_or_default(),
    };
    Ok(Answer::Usage { usage })
}
