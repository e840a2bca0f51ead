//! The hot path: both sockets polled in one task, what is read written straight on.
//!
//! Reads go into a scratch buffer of the thread, so an idle session holds no buffer at all. A side
//! is read only while the other has taken everything, which bounds memory and passes back-pressure on.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Event, Mode, Session};

const SCRATCH: usize = 64 * 1024;
/// Client bytes kept while they may not be forwarded; the kernel keeps the rest.
const PENDING_LIMIT: usize = 64 * 1024;
/// Turns before other sessions of the thread get theirs.
const TURNS: u32 = 4;

thread_local! {
    /// Never borrowed across an await: filled and emptied within one poll.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into());
}

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    pub(super) async fn next_event(&mut self) -> Event {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(Some(order)) = self.membership.orders.poll_recv(cx) {
            return Poll::Ready(Event::Order(order));
        }
        for _ in 0..TURNS {
            let Ok(carried) = self.poll_carry(cx) else {
                return Poll::Ready(Event::Ended);
            };
            if self.wants_rest() && self.at_rest() {
                return Poll::Ready(Event::AtRest);
            }
            if self.is_over() {
                return Poll::Ready(Event::Ended);
            }
            if !carried {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Held clients are not dismissed because their old server is gone.
    fn is_over(&self) -> bool {
        match self.mode {
            Mode::Held => self.client_closed,
            _ => self.server_closed && self.to_client.is_empty(),
        }
    }

    /// One turn of both directions; says whether anything was read. An error ends the session.
    fn poll_carry(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let from_client = self.poll_from_client(cx)?;
        let from_server = self.poll_from_server(cx)?;
        Ok(from_client || from_server)
    }

    fn poll_from_client(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if !self.to_server.is_empty() {
            match self.to_server.poll_flush(&mut self.backend.link, cx) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => self.server_takes_no_more(),
            }
        }
        if !self.pending.is_empty() && (self.from_client.mid_message() || self.may_begin()) {
            let pending = std::mem::take(&mut self.pending);
            self.carry_to_server(&pending, cx)?;
            return Ok(true);
        }
        let room = match self.mode {
            Mode::Held => self.pending.len() < PENDING_LIMIT,
            _ => self.pending.is_empty(),
        };
        if self.client_closed {
            self.poll_shut(cx);
            return Ok(false);
        }
        if !room {
            return Ok(false);
        }
        BUFFER.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.client).poll_read(cx, &mut buffer)? {
                Poll::Pending => return Ok(false),
                Poll::Ready(()) if buffer.filled().is_empty() => self.client_closed = true,
                Poll::Ready(()) => self.carry_to_server(buffer.filled(), cx)?,
            }
            Ok(true)
        })
    }

    fn carry_to_server(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let forwarded = self.scan_client(bytes).map_err(io::Error::other)?;
        let (now, later) = bytes.split_at(forwarded);
        self.pending.extend_from_slice(later);
        if now.is_empty() || self.server_closed {
            return Ok(());
        }
        if self
            .to_server
            .poll_send(&mut self.backend.link, cx, now)
            .is_err()
        {
            self.server_takes_no_more();
        }
        Ok(())
    }

    /// It may still have said why: that is read before the session ends.
    fn server_takes_no_more(&mut self) {
        self.to_server.clear();
        self.write_side_shut = true;
    }

    /// Passes a client's end on, once everything it sent has been.
    fn poll_shut(&mut self, cx: &mut Context<'_>) {
        let quiet = self.pending.is_empty() && self.to_server.is_empty();
        if quiet && !self.write_side_shut {
            let shut = Pin::new(&mut self.backend.link).poll_shutdown(cx);
            self.write_side_shut = shut.is_ready();
        }
    }

    fn poll_from_server(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if !self.to_client.is_empty() {
            match self.to_client.poll_flush(&mut self.client, cx)? {
                Poll::Pending => return Ok(false),
                Poll::Ready(()) => {}
            }
        }
        if self.server_closed {
            return Ok(false);
        }
        BUFFER.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match Pin::new(&mut self.backend.link).poll_read(cx, &mut buffer) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.carry_to_client(buffer.filled(), cx)?;
                }
                Poll::Ready(_) => self.server_closed = true,
            }
            Ok(true)
        })
    }

    fn carry_to_client(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let unchanged = self.scan_server(bytes).map_err(io::Error::other)?;
        if unchanged {
            return self.to_client.poll_send(&mut self.client, cx, bytes);
        }
        match self.to_client.poll_flush(&mut self.client, cx) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => Ok(()),
        }
    }
}
