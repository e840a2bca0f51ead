//! Opens a session at a server: the client's own StartupMessage, and its ClientKey as the proof.
//!
//! What the server refuses is kept verbatim: it is the client that should read it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use upkeep_domain::instance::Address;
use upkeep_wire::frame::{FrameError, Message, MessageBuffer};
use upkeep_wire::message::{
    AuthRequest, BackendKey, ErrorFields, MessageError, ParameterStatus, frontend, put_message,
};
use upkeep_wire::scram::{self, AwaitingSignature, ClientExchange, ClientKeys, ScramError};
use upkeep_wire::startup::Startup;

use super::{Backend, Params};
use crate::link::Link;
use crate::secret;

const LOGIN_MESSAGE_LIMIT: usize = 1 << 20;
/// Hop two needs no long cancel secret: it never leaves this process.
const MINOR: u16 = 0;

#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("connecting to `{address:?}`")]
    Connect {
        address: Address,
        #[source]
        source: io::Error,
    },
    #[error("the server did not let us in within `{0:?}`")]
    Slow(Duration),
    #[error("talking to the server during login")]
    Io(#[source] io::Error),
    #[error("the server closed the connection during login")]
    Closed,
    #[error("the server refuses: `{}`", .0.message)]
    Refused(ErrorFields),
    #[error("the server asks for a way to log in that is not spoken here")]
    Method,
    #[error("reading the server's login messages")]
    Frame(#[from] FrameError),
    #[error("reading a login message")]
    Message(#[from] MessageError),
    #[error("logging in with the role's key")]
    Scram(#[from] ScramError),
}

/// Logs in. Without `keys` the server must let us in by itself (peer, trust).
pub(crate) async fn dial(
    address: &Address,
    startup: &Startup,
    keys: Option<&ClientKeys>,
    limit: Duration,
) -> Result<Backend, DialError> {
    let dialled = tokio::time::timeout(limit, async {
        let link = Link::connect(address).await.map_err(|source| {
            let address = address.clone();
            DialError::Connect { address, source }
        })?;
        Login::new(link).run(startup, keys).await
    });
    dialled.await.unwrap_or(Err(DialError::Slow(limit)))
}

/// A login as far as it has come.
struct Login {
    link: Link,
    buffer: MessageBuffer,
    scram: Scram,
    key: BackendKey,
    params: Params,
    greeting: Vec<u8>,
}

enum Scram {
    NotAsked,
    Begun(ClientExchange),
    Proved(AwaitingSignature),
    Done,
}

impl Login {
    fn new(link: Link) -> Self {
        Self {
            link,
            buffer: MessageBuffer::with_limit(LOGIN_MESSAGE_LIMIT),
            scram: Scram::NotAsked,
            key: BackendKey {
                pid: 0,
                secret: Vec::new(),
            },
            params: Params::default(),
            greeting: Vec::new(),
        }
    }

    async fn run(
        mut self,
        startup: &Startup,
        keys: Option<&ClientKeys>,
    ) -> Result<Backend, DialError> {
        self.send(&startup.to_packet(MINOR)).await?;
        loop {
            let Message { tag, payload } = self.next_message().await?;
            match tag {
                b'R' => {
                    self.authenticate(AuthRequest::read(&payload)?, keys)
                        .await?;
                }
                b'S' => {
                    let status = ParameterStatus::read(&payload)?;
                    self.params.note(status.name, status.value);
                }
                b'K' => self.key = BackendKey::read(&payload)?,
                b'N' => put_message(&mut self.greeting, tag, &payload),
                b'E' => return Err(DialError::Refused(ErrorFields::read(&payload)?)),
                b'Z' => break,
                _ => {}
            }
        }
        Ok(Backend {
            link: self.link,
            key: self.key,
            params: self.params,
            greeting: self.greeting,
        })
    }

    async fn authenticate(
        &mut self,
        asked: AuthRequest<'_>,
        keys: Option<&ClientKeys>,
    ) -> Result<(), DialError> {
        let mut out = Vec::new();
        self.scram = match (asked, std::mem::replace(&mut self.scram, Scram::Done)) {
            // A server that skips its own signature has not proved that it knows the verifier.
            (AuthRequest::Ok, done @ (Scram::NotAsked | Scram::Done)) => done,
            (AuthRequest::Sasl(_), Scram::NotAsked) if asked.offers(scram::MECHANISM) => {
                let keys = keys.ok_or(DialError::Method)?.clone();
                let (exchange, first) = ClientExchange::begin(keys, &secret::text());
                frontend::sasl_initial_response(&mut out, scram::MECHANISM, first.as_bytes());
                Scram::Begun(exchange)
            }
            (AuthRequest::SaslContinue(data), Scram::Begun(exchange)) => {
                let (awaiting, proof) = exchange.prove(data)?;
                frontend::sasl_response(&mut out, proof.as_bytes());
                Scram::Proved(awaiting)
            }
            (AuthRequest::SaslFinal(data), Scram::Proved(awaiting)) => {
                awaiting.verify(data)?;
                Scram::Done
            }
            _ => return Err(DialError::Method),
        };
        self.send(&out).await
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), DialError> {
        self.link.write_all(bytes).await.map_err(DialError::Io)
    }

    async fn next_message(&mut self) -> Result<Message, DialError> {
        loop {
            if let Some(message) = self.buffer.next_message()? {
                return Ok(message);
            }
            let mut chunk = vec![0; 1024];
            let n = self.link.read(&mut chunk).await.map_err(DialError::Io)?;
            if n == 0 {
                return Err(DialError::Closed);
            }
            self.buffer.push(&chunk[..n]);
        }
    }
}
