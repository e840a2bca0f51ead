//! From a client's first byte to its session: startup, proof, a place at the gate, a server session.
//!
//! Whatever goes wrong is said in PostgreSQL's own words and codes: drivers know what to do with them.

mod guest;
mod prove;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_wire::message::{ErrorFields, TxStatus, backend};
use upkeep_wire::startup::{FirstPacket, Startup};

use crate::accept::Reception;
use crate::backend::{Backend, DialError, dial};
use crate::cancel::Ticket;
use crate::database::{Admission, Card, Database, Membership};
use crate::session::{Login, Session};
use guest::{Guest, GuestError};

/// Why a client does not get in.
enum Refusal {
    /// It broke off, or speaks something else.
    Gone,
    Told(ErrorFields),
}

impl From<GuestError> for Refusal {
    fn from(error: GuestError) -> Self {
        match error {
            GuestError::Foreign(message) => Self::Told(ErrorFields::fatal("08P01", message)),
            GuestError::Gone => Self::Gone,
        }
    }
}

fn refuse<T>(code: &str, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Told(ErrorFields::fatal(code, message)))
}

/// One connection, to its end. `place` is kept until the client has proved who it is.
pub(crate) async fn receive<C>(client: C, reception: &Reception, place: OwnedSemaphorePermit)
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let mut guest = Guest::new(client);
    let proved = tokio::time::timeout(
        reception.limits.login,
        Box::pin(admit(&mut guest, reception)),
    )
    .await;
    drop(place);
    let entered = match proved {
        Ok(Ok(Some(visitor))) => Box::pin(enter(&mut guest, reception, visitor)).await,
        Ok(Ok(None)) | Err(_) => return,
        Ok(Err(refusal)) => Err(refusal),
    };
    match entered {
        Ok((backend, membership, login, ticket)) => {
            let (client, already_read) = guest.into_parts();
            Session::new(client, already_read, backend, membership, login)
                .run()
                .await;
            drop(ticket);
        }
        Err(Refusal::Told(error)) => guest.dismiss(&error).await,
        Err(Refusal::Gone) => {}
    }
}

/// A client that has proved who it is.
struct Visitor {
    database: Arc<Database>,
    login: Login,
}

/// Startup and proof; `None` for a connection that only brought a cancel request.
async fn admit<C>(guest: &mut Guest<C>, reception: &Reception) -> Result<Option<Visitor>, Refusal>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let startup = match guest.first_packet().await? {
        FirstPacket::Startup(startup) => startup,
        FirstPacket::Cancel(key) => {
            reception
                .cancel_keys
                .cancel(&key, reception.limits.server)
                .await;
            return Ok(None);
        }
        FirstPacket::SslRequest | FirstPacket::GssEncRequest => return Err(Refusal::Gone),
    };
    let Some(database) = reception.directory.find(startup.database()) else {
        let message = format!("database \"{}\" does not exist", startup.database());
        return refuse("3D000", message);
    };
    if let Some(unknown) = startup.negotiation() {
        let mut out = Vec::new();
        backend::negotiate_protocol_version(&mut out, &unknown);
        guest.send(&out).await?;
    }
    let keys = prove::prove(guest, &startup, &database).await?;
    let startup = match database.server_dbname() {
        Some(name) => startup.with_database(&name),
        None => startup,
    };
    Ok(Some(Visitor {
        database,
        login: Login { startup, keys },
    }))
}

type Entered = (Backend, Membership, Login, Ticket);

/// A place at the gate, a session at the server, and the client's first ReadyForQuery.
async fn enter<C>(
    guest: &mut Guest<C>,
    reception: &Reception,
    visitor: Visitor,
) -> Result<Entered, Refusal>
where
    C: AsyncRead + AsyncWrite + Unpin,
{
    let Visitor { database, login } = visitor;
    let membership = wait_for_the_gate(&database, &login.startup).await?;
    let address = &membership.target.address;
    let limit = reception.limits.server;
    let dialled = dial(address, &login.startup, Some(&login.keys), limit).await;
    let backend = dialled.map_err(|error| no_session(&database, error))?;
    let keys = &reception.cancel_keys;
    let secret_len = login.startup.cancel_secret_len();
    let ticket = keys.give(backend.key.pid, secret_len, membership.mailbox.clone());
    guest.send(&welcome(&backend, &ticket)).await?;
    Ok((backend, membership, login, ticket))
}

async fn wait_for_the_gate(
    database: &Arc<Database>,
    startup: &Startup,
) -> Result<Membership, Refusal> {
    let name = startup.param("application_name").unwrap_or_default();
    let card = Arc::new(Card {
        role: startup.user().to_owned(),
        application_name: String::from_utf8_lossy(name).into_owned(),
        ..Card::default()
    });
    loop {
        match database.admit(&card) {
            Admission::Enter(membership) => return Ok(membership),
            Admission::Wait(mut changes) => {
                let _counted = database.waiting();
                // The sender lives in the database, which is at hand.
                let _ = changes.changed().await;
            }
            Admission::TooLong => return refuse("57P03", "the database system is starting up"),
            Admission::Gone => {
                let message = format!("database \"{}\" does not exist", database.dbname);
                return refuse("3D000", message);
            }
        }
    }
}

/// What a server refuses is the client's to read; that there is none is ours to say.
fn no_session(database: &Database, error: DialError) -> Refusal {
    if let DialError::Refused(fields) = error {
        return Refusal::Told(fields);
    }
    let error = ErrorChain(&error).to_string();
    tracing::warn!(
        dbname = database.dbname,
        error,
        "no session for a new client"
    );
    Refusal::Told(ErrorFields::fatal(
        "57P03",
        "the database system is not accepting connections",
    ))
}

/// The server's greeting with our own cancel key in place of its.
fn welcome(session: &Backend, ticket: &Ticket) -> Vec<u8> {
    let mut out = Vec::new();
    backend::authentication_ok(&mut out);
    for (name, value) in session.params.iter() {
        backend::parameter_status(&mut out, name, value);
    }
    out.extend_from_slice(&session.greeting);
    backend::backend_key_data(&mut out, ticket.key.pid, &ticket.key.secret);
    backend::ready_for_query(&mut out, TxStatus::Idle);
    out
}
