//! What a server sends, message by message: nearly always passed on as it came.
//!
//! Two exceptions. A held session's old server may still notify, and report a parameter; nothing else
//! of it reaches the client, least of all that it is being shut down. And after a move a session's own notifications carry the process id that
//! the client knows.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use upkeep_wire::frame::{FrameError, HEADER_LEN, Piece};
use upkeep_wire::message::{ErrorFields, ParameterStatus, rewrite_pid};

use super::{Mode, Session};

/// Of errors and reported parameters, whose values are short.
const NOTE_LIMIT: usize = 1024;
/// Longer tags are not about writes.
const TAG_LIMIT: usize = 32;

/// What becomes of a message.
#[derive(PartialEq)]
enum Fate {
    Forward,
    /// Forwarded when it is whole.
    Gather,
    Drop,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    /// Whether all of `bytes` goes to the client as it is; otherwise `to_client` has what does.
    pub(super) fn scan_server(&mut self, bytes: &[u8]) -> Result<bool, FrameError> {
        let (mut at, mut taken) = (0, 0);
        let mut unchanged = true;
        while let Some(piece) = self.from_server.step(&bytes[at..])? {
            let end = at + piece.bytes.len();
            let fate = self.fate(piece.tag);
            if fate != Fate::Forward {
                unchanged = false;
                self.to_client.buffer().extend_from_slice(&bytes[taken..at]);
                taken = end;
                if fate == Fate::Gather {
                    self.gather(&piece);
                }
            }
            self.note(&piece);
            at = end;
        }
        if !unchanged {
            self.to_client.buffer().extend_from_slice(&bytes[taken..]);
        }
        Ok(unchanged)
    }

    /// The same for all pieces of a message: what it depends on changes only between messages.
    fn fate(&self, tag: u8) -> Fate {
        match (&self.mode, tag) {
            (Mode::Held, b'A' | b'S') => Fate::Gather,
            (Mode::Held, _) => Fate::Drop,
            (_, b'A') if self.moved => Fate::Gather,
            _ => Fate::Forward,
        }
    }

    fn gather(&mut self, piece: &Piece<'_>) {
        self.gathered.extend_from_slice(piece.bytes);
        if !piece.ends {
            return;
        }
        if piece.tag == b'A' {
            let own = self.backend.key.pid;
            rewrite_pid(&mut self.gathered[HEADER_LEN..], own, self.told_pid);
        }
        self.to_client.buffer().append(&mut self.gathered);
    }

    fn note(&mut self, piece: &Piece<'_>) {
        match piece.tag {
            b'S' | b'E' => self.note_text(piece),
            b'C' if piece.starts && piece.ends && piece.payload.len() <= TAG_LIMIT => {
                self.notes.command_completes(piece.payload);
            }
            _ => {}
        }
        if !piece.ends || matches!(self.mode, Mode::Held) {
            return;
        }
        match piece.tag {
            b'G' => self.notes.copy_in_begins(),
            b'H' => self.notes.copy_out_begins(),
            b'Z' if piece.payload == b"I" && self.notes.take_write() => {
                self.database().felt.acknowledged(Instant::now());
            }
            _ => {}
        }
        self.tracker
            .server(piece.tag, piece.payload.first().copied());
    }

    fn note_text(&mut self, piece: &Piece<'_>) {
        let Some(captured) = self.server_capture.feed(piece, NOTE_LIMIT) else {
            return;
        };
        if captured.tag == b'S' {
            if let Ok(status) = ParameterStatus::read(captured.payload) {
                self.backend.params.note(status.name, status.value);
            }
        } else if !matches!(self.mode, Mode::Held) {
            self.notes.statement_fails();
            if let Ok(error) = ErrorFields::read(captured.payload) {
                self.membership
                    .database
                    .felt
                    .error(error.code.as_bytes(), Instant::now());
            }
        }
    }
}
