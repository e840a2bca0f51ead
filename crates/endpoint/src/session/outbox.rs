//! Bytes that a socket did not take at once. Nothing more is read for it before they are gone, so it
//! stays about as small as one read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// Above this an emptied buffer is given back: sessions are many and mostly idle.
const KEEP_CAPACITY: usize = 4096;

#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// To append to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.written);
        self.clear();
        rest
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEEP_CAPACITY);
        self.written = 0;
    }

    /// Writes what it holds; ready when it is empty.
    pub(super) fn poll_flush(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.written < self.bytes.len() {
            let rest = &self.bytes[self.written..];
            let n = ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += n;
        }
        if !self.bytes.is_empty() {
            self.clear();
        }
        Poll::Ready(Ok(()))
    }

    /// Writes `bytes` straight on, and keeps what the socket does not take.
    pub(super) fn poll_send(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> io::Result<()> {
        let mut sent = 0;
        if self.is_empty()
            && let Poll::Ready(n) = Pin::new(&mut *stream).poll_write(cx, bytes)
        {
            sent = n?;
        }
        if sent < bytes.len() {
            self.bytes.extend_from_slice(&bytes[sent..]);
            if let Poll::Ready(Err(error)) = self.poll_flush(stream, cx) {
                return Err(error);
            }
        }
        Ok(())
    }
}
