//! The client's proof: SCRAM-SHA-256 against the role's verifier, which yields the role's ClientKey.
//!
//! A role that does not exist fails exactly as a wrong password does, and only at the end. No password
//! is seen.

use tokio::io::{AsyncRead, AsyncWrite};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_wire::message::{SaslInitialResponse, backend};
use upkeep_wire::scram::{self, ClientKeys, ServerExchange, VerifierError};
use upkeep_wire::startup::Startup;

use super::guest::Guest;
use super::{Refusal, refuse};
use crate::authority::{AuthorityError, RoleRecord};
use crate::database::Database;
use crate::secret;

pub(super) async fn prove<C>(
    guest: &mut Guest<C>,
    startup: &Startup,
    database: &Database,
) -> Result<ClientKeys, Refusal>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let role = startup.user();
    let RoleRecord {
        verifier,
        may_log_in,
        ..
    } = match database.role(role).await {
        Ok(record) => record,
        Err(error) => return cannot_say(database, role, &error),
    };
    let wrong = || {
        refuse(
            "28P01",
            format!("password authentication failed for user \"{role}\""),
        )
    };

    let mut out = Vec::new();
    backend::authentication_sasl(&mut out, &[scram::MECHANISM]);
    guest.send(&out).await?;
    let first = guest.next_message().await?;
    if first.tag != b'p' {
        return refuse("08P01", "expected SASL response");
    }
    let Ok(initial) = SaslInitialResponse::read(&first.payload) else {
        return refuse("08P01", "malformed SASL response");
    };
    if initial.mechanism != scram::MECHANISM {
        return refuse(
            "08P01",
            "client selected an invalid SASL authentication mechanism",
        );
    }
    let begun = ServerExchange::begin(verifier, initial.data, &secret::text());
    let (exchange, challenge) = match begun {
        Ok(begun) => begun,
        Err(error) => return refuse("08P01", error.to_string()),
    };

    out.clear();
    backend::authentication_sasl_continue(&mut out, challenge.as_bytes());
    guest.send(&out).await?;
    let last = guest.next_message().await?;
    if last.tag != b'p' {
        return refuse("08P01", "expected SASL response");
    }
    let Ok(accepted) = exchange.finish(&last.payload) else {
        return wrong();
    };
    if !may_log_in {
        return refuse(
            "28000",
            format!("role \"{role}\" is not permitted to log in"),
        );
    }
    out.clear();
    backend::authentication_sasl_final(&mut out, accepted.server_final.as_bytes());
    guest.send(&out).await?;
    Ok(accepted.keys)
}

fn cannot_say<T>(database: &Database, role: &str, error: &AuthorityError) -> Result<T, Refusal> {
    let chain = ErrorChain(error).to_string();
    tracing::warn!(
        dbname = database.dbname,
        role,
        error = chain,
        "a role's verifier could not be read"
    );
    match error {
        AuthorityError::Verifier(VerifierError::Md5) => {
            let message = format!("the password of role \"{role}\" is stored as MD5; set it again");
            refuse("28000", message)
        }
        _ => refuse("57P03", "the database system is not accepting connections"),
    }
}
