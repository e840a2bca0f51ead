//! Makes a database and the role that owns it. The verifier appears in no log of the server's.

use std::time::Duration;

use postgres_protocol::escape::escape_identifier;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::refusal::{Refusal, RefusalKind};

use crate::configuration::{ENDPOINT_ROLE, SUPERUSER, literal};
use crate::fault::{IntoError, OrFailed, failed, refused};
use crate::host::Instance;
use crate::session::{Session, text};

const WITHIN: Duration = Duration::from_secs(50);
const VERIFIER_PREFIX: &str = "SCRAM-SHA-256$";
/// Longer names are cut off by the server, and would be other names then.
const IDENTIFIER_BYTES_MAX: usize = 63;

/// For this session only, whatever the server's settings are.
const QUIET: &str = "SET log_statement = 'none'; SET log_min_error_statement = 'panic'; \
    SET log_min_duration_statement = -1; SET log_min_duration_sample = -1; \
    SET log_transaction_sample_rate = 0; SET log_parameter_max_length = 0; \
    SET pg_stat_statements.track = 'none'; SET debug_print_parse = off; SET track_activities = off";

/// Looks before each thing it does, so that twice is once.
pub(crate) async fn create(
    instance: &Instance,
    dbname: &str,
    role: &str,
    verifier: &str,
) -> Result<Outcome, HostError> {
    refuse_nonsense(dbname, role, verifier)?;
    instance.complete_record()?;
    instance.refuse_frozen()?;
    let session = instance.own_session().await.or_failed()?;
    session.run(QUIET, WITHIN).await.or_failed()?;
    ensure_role(&session, role, verifier).await?;
    ensure_database(&session, dbname, role).await?;
    let revoke = format!(
        "REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC",
        escape_identifier(dbname)
    );
    session.run(&revoke, WITHIN).await.or_failed()?;
    Ok(Outcome::Done)
}

fn refuse_nonsense(dbname: &str, role: &str, verifier: &str) -> Result<(), HostError> {
    for name in [dbname, role] {
        let length = 1..=IDENTIFIER_BYTES_MAX;
        if !length.contains(&name.len()) || name.chars().any(char::is_control) {
            let sentence =
                "a database or role has a name of 1 to 63 bytes without control characters";
            return Err(Refusal::invalid(sentence).into_error());
        }
    }
    if [SUPERUSER, ENDPOINT_ROLE].contains(&role) || role.starts_with("pg_") {
        return Err(
            Refusal::invalid(format!("the role `{role}` is not for databases")).into_error(),
        );
    }
    if !verifier.starts_with(VERIFIER_PREFIX) {
        let sentence = "a role is made with a SCRAM-SHA-256 verifier, never with a password";
        return Err(Refusal::invalid(sentence).into_error());
    }
    Ok(())
}

async fn ensure_role(session: &Session, role: &str, verifier: &str) -> Result<(), HostError> {
    let look = format!(
        "SELECT rolpassword IS NOT DISTINCT FROM {} FROM pg_catalog.pg_authid WHERE rolname = {}",
        literal(verifier),
        literal(role)
    );
    let found = session.rows(&look, WITHIN).await.or_failed()?.pop();
    let verb = match found {
        Some(row) if text(&row, 0).or_failed()? == "t" => return Ok(()),
        Some(_) => "ALTER",
        None => "CREATE",
    };
    let make = format!(
        "{verb} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}",
        escape_identifier(role),
        literal(verifier)
    );
    session.run(&make, WITHIN).await.or_failed()
}

async fn ensure_database(session: &Session, dbname: &str, role: &str) -> Result<(), HostError> {
    let look = format!(
        "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = {}",
        literal(dbname)
    );
    let mut found = session.rows(&look, WITHIN).await.or_failed()?.pop();
    if found.is_none() {
        let (dbname, owner) = (escape_identifier(dbname), escape_identifier(role));
        let make = format!("CREATE DATABASE {dbname} OWNER {owner} TEMPLATE template0");
        session.run(&make, WITHIN).await.or_failed()?;
        found = session.rows(&look, WITHIN).await.or_failed()?.pop();
    }
    match found {
        Some(row) if text(&row, 0).or_failed()? == role => Ok(()),
        Some(_) => {
            let sentence =
                format!("there is a database `{dbname}` already, and `{role}` does not own it");
            Err(refused(RefusalKind::Conflict, sentence))
        }
        None => Err(failed(format!(
            "database `{dbname}` is not there after it was made"
        ))),
    }
}
