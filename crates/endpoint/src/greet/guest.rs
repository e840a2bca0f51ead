//! A connection that has not logged in: first packets without a type byte, then whole messages.
//!
//! TLS would begin here, between two first packets, and wrap the stream.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use upkeep_wire::frame::{Message, MessageBuffer};
use upkeep_wire::message::ErrorFields;
use upkeep_wire::startup::{FirstPacket, StartupError, read_first_packet};

/// Above any SASL message.
const MESSAGE_LIMIT: usize = 8192;

pub(super) struct Guest<C> {
    stream: C,
    first: Vec<u8>,
    messages: MessageBuffer,
}

pub(super) enum GuestError {
    Gone,
    /// It speaks something else.
    Foreign(String),
}

impl<C: AsyncRead + AsyncWrite + Unpin> Guest<C> {
    pub(super) fn new(stream: C) -> Self {
        let messages = MessageBuffer::with_limit(MESSAGE_LIMIT);
        Self {
            stream,
            first: Vec::new(),
            messages,
        }
    }

    /// The packet that says what the connection is. Encryption may be asked for once of each kind.
    pub(super) async fn first_packet(&mut self) -> Result<FirstPacket, GuestError> {
        let (mut tls_asked, mut gss_asked) = (false, false);
        loop {
            let packet = self.read_first().await?;
            let asked = match packet {
                FirstPacket::SslRequest => &mut tls_asked,
                FirstPacket::GssEncRequest => &mut gss_asked,
                FirstPacket::Startup(_) | FirstPacket::Cancel(_) => {
                    self.messages.push(&std::mem::take(&mut self.first));
                    return Ok(packet);
                }
            };
            // Bytes sent ahead of the answer would be taken for what follows the handshake.
            if std::mem::replace(asked, true) || !self.first.is_empty() {
                return Err(GuestError::Gone);
            }
            self.send(b"N").await?;
        }
    }

    async fn read_first(&mut self) -> Result<FirstPacket, GuestError> {
        loop {
            match read_first_packet(&self.first) {
                Ok(Some((packet, length))) => {
                    self.first.drain(..length);
                    return Ok(packet);
                }
                Ok(None) => {}
                Err(error @ StartupError::Version { .. }) => {
                    return Err(GuestError::Foreign(error.to_string()));
                }
                Err(StartupError::Identity("user")) => {
                    let message = "no PostgreSQL user name specified in startup packet";
                    return Err(GuestError::Foreign(message.to_owned()));
                }
                Err(_) => return Err(GuestError::Foreign("invalid startup packet".to_owned())),
            }
            let chunk = self.read().await?;
            self.first.extend_from_slice(&chunk);
        }
    }

    pub(super) async fn next_message(&mut self) -> Result<Message, GuestError> {
        loop {
            match self.messages.next_message() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(error) => return Err(GuestError::Foreign(error.to_string())),
            }
            let chunk = self.read().await?;
            self.messages.push(&chunk);
        }
    }

    async fn read(&mut self) -> Result<Vec<u8>, GuestError> {
        let mut chunk = [0; 1024];
        match self.stream.read(&mut chunk).await {
            Ok(0) | Err(_) => Err(GuestError::Gone),
            Ok(n) => Ok(chunk[..n].to_vec()),
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), GuestError> {
        self.stream
            .write_all(bytes)
            .await
            .map_err(|_| GuestError::Gone)
    }

    /// Says why it does not get in. If it cannot be told, it is gone.
    pub(super) async fn dismiss(mut self, error: &ErrorFields) {
        let mut out = Vec::new();
        error.put(&mut out);
        let _ = self.send(&out).await;
        let _ = self.stream.shutdown().await;
    }

    /// The stream, and what was read of it beyond the login.
    pub(super) fn into_parts(mut self) -> (C, Vec<u8>) {
        let rest = self.messages.take_rest();
        (self.stream, rest)
    }
}
