//! Orders: what a session does when it is told to, between two looks at its sockets.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use upkeep_domain::hold::Blocker;
use upkeep_domain::route::Target;
use upkeep_wire::frame::Scanner;
use upkeep_wire::message::backend::ready_for_query;
use upkeep_wire::message::{BackendKey, ErrorFields, TxStatus};

use super::{End, Mode, Session, dismissed};
use crate::order::{Order, Readiness};
use crate::state::Unmovable;

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    pub(super) async fn obey(&mut self, order: Order) -> Result<(), End> {
        match order {
            Order::Prepare { done, .. } if self.login.startup.is_replication() => {
                let _ = done.send(Readiness::Unmovable(Unmovable::Replication));
            }
            Order::Prepare { target, done } => self.preparation = Some((target, done)),
            Order::Unprepare => {
                self.preparation = None;
                self.drop_spare();
            }
            // A stream of WAL has no boundary, and nothing of it has to wait: it ends with its server.
            Order::Hold { done } if self.login.startup.is_replication() => drop(done.send(())),
            Order::Hold { done } if matches!(self.mode, Mode::Held) => drop(done.send(())),
            Order::Hold { done } => self.mode = Mode::Draining(done),
            Order::Describe { done } => drop(done.send(self.describe())),
            Order::Capture { done } => {
                self.capture().await?;
                let _ = done.send(());
            }
            Order::Rebuild { target, done } => {
                let outcome = self.rebuild(target).await;
                self.verdict = self.verdict.or(outcome.err());
                let _ = done.send(outcome);
            }
            Order::Go { done } => {
                self.drop_preparation();
                self.go(done)?;
            }
            Order::Resume { done } => {
                // What it was told while it was held has to be true: its server is gone.
                if self.server_closed {
                    return Err(dismissed());
                }
                self.flow();
                let _ = done.send(());
            }
            Order::Close => return Err(dismissed()),
            Order::Cancel { done } => drop(done.send(self.cancel())),
        }
        Ok(())
    }

    fn drop_preparation(&mut self) {
        self.preparation = None;
        self.drop_spare();
    }

    fn describe(&self) -> Blocker {
        let state = match self.tracker.status() {
            _ if self.notes.copies() => "copying",
            TxStatus::Idle => "running a statement",
            _ => "in a transaction",
        };
        self.membership
            .card
            .blocker(state, self.cycle_began.elapsed())
    }

    /// Whom to tell that the running statement is to be cancelled. Between statements nobody: the
    /// cancel would hit the next one. A statement that a hold keeps waiting is answered here.
    fn cancel(&mut self) -> Option<(Arc<Target>, BackendKey)> {
        if matches!(self.mode, Mode::Held) {
            self.cancel_pending();
            return None;
        }
        let running = !self.tracker.boundary();
        running.then(|| (Arc::clone(&self.target), self.backend.key.clone()))
    }

    /// Only for a simple Query that has come whole: one message, one answer.
    fn cancel_pending(&mut self) {
        let first = Scanner::new().step(&self.pending).ok().flatten();
        let Some(query) = first.filter(|piece| piece.tag == b'Q' && piece.ends) else {
            return;
        };
        let length = query.bytes.len();
        self.pending.drain(..length);
        let message = "canceling statement due to user request";
        let out = self.to_client.buffer();
        ErrorFields::error("57014", message).put(out);
        ready_for_query(out, TxStatus::Idle);
    }
}
