//! The endpoint's role, and who may connect to the databases that every instance has.

use std::time::Duration;

use crate::configuration::ENDPOINT_ROLE;
use crate::session::{Error, Session};

const WITHIN: Duration = Duration::from_secs(10);

/// On a primary; twice is once.
pub(crate) async fn ensure(session: &Session) -> Result<(), Error> {
    let look = format!("SELECT FROM pg_catalog.pg_roles WHERE rolname = '{ENDPOINT_ROLE}'");
    if !session.rows(&look, WITHIN).await?.is_empty() {
        return Ok(());
    }
    // One transaction: the role is there with its rights or not at all.
    let make = format!(
        "BEGIN;
CREATE ROLE {ENDPOINT_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
GRANT SELECT (rolname, rolpassword, rolvaliduntil, rolcanlogin) ON pg_catalog.pg_authid TO {ENDPOINT_ROLE};
REVOKE CONNECT, TEMPORARY ON DATABASE postgres FROM PUBLIC;
REVOKE CONNECT ON DATABASE template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO {ENDPOINT_ROLE};
COMMIT"
    );
    match session.run(&make, WITHIN).await {
        Ok(()) => Ok(()),
        Err(error) => {
            session.run("ROLLBACK", WITHIN).await?;
            Err(error)
        }
    }
}
