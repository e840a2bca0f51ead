//! The sessions of a database: who is admitted, and how all of them are told something.
//!
//! A client is a member from before its login at the server until its end, so a hold that begins
//! meanwhile does not miss it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use upkeep_domain::hold::{Blocker, GateState};
use upkeep_domain::route::Target;

use super::{Database, Gate};
use crate::order::Order;
use crate::state::Risk;

/// What others may know of a session without asking it.
#[derive(Debug, Default)]
pub(crate) struct Card {
    pub(crate) role: String,
    pub(crate) application_name: String,
    pub(crate) backend_pid: AtomicU32,
    pub(crate) held: AtomicBool,
    pub(crate) spare: AtomicBool,
    /// It sets settings by names that its text does not show: they may be lost in a move.
    pub(crate) opaque: AtomicBool,
    /// Its unnamed statement was too long to be kept for a move.
    pub(crate) unnamed_lost: AtomicBool,
}

impl Card {
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn has_spare(&self) -> bool {
        self.spare.load(Ordering::Relaxed)
    }

    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque.load(Ordering::Relaxed)
    }

    /// What a move may lose of it.
    pub(crate) fn risks(&self) -> Vec<Risk> {
        let lost = self.unnamed_lost.load(Ordering::Relaxed);
        let settings = self.is_opaque().then_some(Risk::UnknownSettings);
        let statement = lost.then_some(Risk::LongStatement);
        settings.into_iter().chain(statement).collect()
    }

    /// What is known of one that has no session at its server yet.
    pub(crate) fn logging_in(&self) -> Blocker {
        self.blocker("logging in", Duration::ZERO)
    }

    pub(crate) fn blocker(&self, state: &str, busy: Duration) -> Blocker {
        Blocker {
            backend_pid: self.backend_pid.load(Ordering::Relaxed),
            role: self.role.clone(),
            application_name: self.application_name.clone(),
            state: state.to_owned(),
            busy_ms: busy.as_millis() as u64,
        }
    }
}

pub(crate) struct Member {
    pub(crate) card: Arc<Card>,
    orders: mpsc::UnboundedSender<Order>,
}

/// A session's place in its database; given back when dropped.
pub(crate) struct Membership {
    pub(crate) database: Arc<Database>,
    pub(crate) target: Arc<Target>,
    pub(crate) card: Arc<Card>,
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    /// For those who want its statement cancelled.
    pub(crate) mailbox: mpsc::UnboundedSender<Order>,
    id: u64,
}

pub(crate) enum Admission {
    Enter(Membership),
    /// The gate is closed: ask again when this changes.
    Wait(watch::Receiver<()>),
    /// The gate stayed closed beyond the hard limit.
    TooLong,
    /// The database is not here any more.
    Gone,
}

impl Database {
    pub(crate) fn admit(self: &Arc<Self>, card: &Arc<Card>) -> Admission {
        // Subscribed first: a change after the look is not missed.
        let changes = self.changes();
        let mut inner = self.inner();
        if inner.forgotten {
            return Admission::Gone;
        }
        let draining = match &inner.gate {
            Gate::Closed(hold) if hold.expired => return Admission::TooLong,
            // While others are still on their way to a boundary newcomers get in, and are held at
            // once. A program that connects in the thread that should end a transaction would
            // otherwise wait for the hold, and the hold for it.
            Gate::Closed(hold) if hold.state == GateState::Holding => true,
            Gate::Closed(_) => return Admission::Wait(changes),
            Gate::Open => false,
        };
        let (mailbox, orders) = mpsc::unbounded_channel();
        if let Some(replacement) = &inner.replacement {
            let (done, _) = oneshot::channel();
            let target = Some(Arc::new(replacement.target.clone()));
            let _ = mailbox.send(Order::Prepare { target, done });
        }
        if draining {
            let (done, held) = oneshot::channel();
            let _ = mailbox.send(Order::Hold { done });
            inner.latecomers.push((Arc::clone(card), held));
        }
        inner.next_member += 1;
        let id = inner.next_member;
        let (card, orders_to) = (Arc::clone(card), mailbox.clone());
        inner.members.insert(
            id,
            Member {
                card: Arc::clone(&card),
                orders: orders_to,
            },
        );
        let target = Arc::clone(&inner.target);
        Admission::Enter(Membership {
            database: Arc::clone(self),
            target,
            card,
            orders,
            mailbox,
            id,
        })
    }

    /// Counts a new client that waits, until dropped.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        self.inner().waiting += 1;
        Waiting(self)
    }

    /// Gives every member an order, and hands back where each will answer.
    pub(crate) fn tell_all<T>(
        &self,
        order: impl Fn(oneshot::Sender<T>) -> Order,
    ) -> Vec<(Arc<Card>, oneshot::Receiver<T>)> {
        let inner = self.inner();
        let told = inner.members.values().map(|member| {
            let (done, answer) = oneshot::channel();
            // One that is just ending drops the order, and with it the answer.
            let _ = member.orders.send(order(done));
            (Arc::clone(&member.card), answer)
        });
        told.collect()
    }

    pub(crate) fn tell_all_without_answer(&self, order: impl Fn() -> Order) {
        for member in self.inner().members.values() {
            let _ = member.orders.send(order());
        }
    }
}

/// A new client that waits for the gate.
pub(crate) struct Waiting<'a>(&'a Database);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.inner().waiting -= 1;
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.database.inner().members.remove(&self.id);
    }
}
