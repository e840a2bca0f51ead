//! What a client sends, message by message: where a cycle begins, and whether it may.

use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use upkeep_wire::frame::FrameError;

use super::Session;
use super::notes::Notes;

/// Every probe asks for each of them.
const DATABASE_NAMES_LIMIT: usize = 500;

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    /// How many of `bytes` go to the server now; the rest begins with a message that must wait.
    pub(super) fn scan_client(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        let mut at = 0;
        while at < bytes.len() {
            if !self.from_client.mid_message() {
                if !self.may_begin() {
                    break;
                }
                self.begin_message();
            }
            let Some(piece) = self.from_client.step(&bytes[at..])? else {
                break;
            };
            at += piece.bytes.len();
            let limit = Notes::wanted(piece.tag);
            if limit > 0
                && let Some(captured) = self.client_capture.feed(&piece, limit)
            {
                let names = self.notes.client_text(&captured);
                let card = &self.membership.card;
                card.opaque.store(self.notes.opaque, Ordering::Relaxed);
                card.unnamed_lost
                    .store(self.notes.unnamed_lost, Ordering::Relaxed);
                self.learn(&names);
            }
            if piece.ends {
                self.tracker.client(piece.tag);
            }
        }
        Ok(at)
    }

    fn begin_message(&mut self) {
        if self.tracker.boundary() {
            self.dirty = true;
            self.cycle_began = Instant::now();
        }
    }

    /// Other sessions of the database may set the same names where no text shows it.
    fn learn(&mut self, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let Ok(mut known) = self.database().custom_names.lock() else {
            return;
        };
        let room = DATABASE_NAMES_LIMIT.saturating_sub(known.len());
        known.extend(names.iter().take(room).cloned());
    }
}
