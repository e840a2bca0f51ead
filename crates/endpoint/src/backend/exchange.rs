//! A short dialogue of ours on an idle session: one pipeline out, its replies back.
//!
//! What the server says on its own meanwhile is set aside, byte for byte, for the client.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use upkeep_wire::frame::{FrameError, Message, MessageBuffer};
use upkeep_wire::message::{ErrorFields, ParameterStatus, put_message};

use super::Backend;

/// A prepared statement's text comes back in one row; nothing larger is expected.
const MESSAGE_LIMIT: usize = 16 << 20;

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) replies: Vec<Message>,
    /// Notifications and notices, as they came.
    pub(crate) asides: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("talking to the server")]
    Io(#[source] io::Error),
    #[error("the server closed the session")]
    Closed,
    #[error("the server did not answer in `{0:?}`")]
    Slow(Duration),
    #[error("reading the server's answer")]
    Frame(#[from] FrameError),
}

impl Exchange {
    /// The first error among the replies.
    pub(crate) fn error(&self) -> Option<ErrorFields> {
        let error = self.replies.iter().find(|reply| reply.tag == b'E')?;
        ErrorFields::read(&error.payload).ok()
    }
}

impl Backend {
    /// Sends `pipeline` and collects replies up to and including the last of `readies`
    /// ReadyForQuery messages. After an error the session's state is unknown: drop it.
    pub(crate) async fn exchange(
        &mut self,
        pipeline: &[u8],
        readies: usize,
        limit: Duration,
    ) -> Result<Exchange, ExchangeError> {
        let (mut from, mut to) = tokio::io::split(&mut self.link);
        let params = &mut self.params;
        let mut exchange = Exchange::default();
        let read = async {
            let mut buffer = MessageBuffer::with_limit(MESSAGE_LIMIT);
            let mut open = readies;
            // On the heap: every session's task would carry it otherwise.
            let mut chunk = vec![0; 8192];
            while open > 0 {
                let n = from.read(&mut chunk).await.map_err(ExchangeError::Io)?;
                if n == 0 {
                    return Err(ExchangeError::Closed);
                }
                buffer.push(&chunk[..n]);
                while let Some(message) = buffer.next_message()? {
                    open -= usize::from(message.tag == b'Z');
                    exchange.take(message, params);
                }
            }
            Ok(())
        };
        // Written while the answers are read: a long pipeline fills both sockets.
        let write = async { to.write_all(pipeline).await.map_err(ExchangeError::Io) };
        let both = async { tokio::try_join!(read, write) };
        let done = tokio::time::timeout(limit, both).await;
        done.map_err(|_| ExchangeError::Slow(limit))??;
        Ok(exchange)
    }
}

impl Exchange {
    fn take(&mut self, message: Message, params: &mut super::Params) {
        match message.tag {
            b'A' | b'N' => put_message(&mut self.asides, message.tag, &message.payload),
            b'S' => {
                if let Ok(status) = ParameterStatus::read(&message.payload) {
                    params.note(status.name, status.value);
                }
            }
            _ => self.replies.push(message),
        }
    }
}
