//! Holding: every session at a boundary, or everybody goes on; and the lease that ends a hold.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};
use upkeep_domain::hold::{Blocker, GateState, HoldLimits, HoldReply};
use upkeep_domain::ports::TrafficError;

use super::answers;
use crate::database::{Card, Database};
use crate::felt::Tally;
use crate::order::Order;

/// A session that does not even say what it does is busy with a login.
const DESCRIBE: Duration = Duration::from_millis(200);
/// While a release is under way it ends the hold, not the hard limit.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

type Told = Vec<(Arc<Card>, oneshot::Receiver<()>)>;

impl Database {
    pub(crate) async fn hold(
        self: &Arc<Self>,
        limits: &HoldLimits,
    ) -> Result<HoldReply, TrafficError> {
        let _conducting = self.conductor.lock().await;
        if let Some(hold) = self.inner().gate.hold() {
            return Ok(HoldReply::Held {
                sessions: hold.sessions,
                drained_ms: 0.0,
            });
        }
        let began = Instant::now();
        self.felt.closed(began);
        let id = self.inner().close_gate(limits);
        tokio::spawn(Arc::clone(self).watch(id));

        let told = self.tell_all(|done| Order::Hold { done });
        let deadline = began + Duration::from_millis(limits.drain_ms);
        match self.drain(told, deadline).await {
            Ok(sessions) => {
                let drained_ms = began.elapsed().as_secs_f64() * 1e3;
                self.capture().await;
                Ok(HoldReply::Held {
                    sessions,
                    drained_ms,
                })
            }
            Err(busy) => {
                let blockers = self.describe(&busy).await;
                tracing::info!(
                    dbname = self.dbname,
                    blockers = blockers.len(),
                    "hold given up"
                );
                self.resume_all().await;
                Ok(HoldReply::Blocked { blockers })
            }
        }
    }

    /// Until everybody is held, those included who came meanwhile. From then on newcomers wait.
    async fn drain(&self, mut told: Told, deadline: Instant) -> Result<u32, Vec<Arc<Card>>> {
        let mut sessions = 0;
        loop {
            sessions += drained(told, deadline).await?;
            let mut inner = self.inner();
            told = std::mem::take(&mut inner.latecomers);
            if told.is_empty() {
                if let Some(hold) = inner.gate.hold_mut() {
                    (hold.state, hold.sessions) = (GateState::Held, sessions);
                }
                return Ok(sessions);
            }
        }
    }

    /// The last look at every session. No writer is left, so what it sees is final.
    async fn capture(&self) {
        let told = self.tell_all(|done| Order::Capture { done });
        answers(told, self.limits.server, |_, ()| ()).await;
    }

    async fn describe(&self, busy: &[Arc<Card>]) -> Vec<Blocker> {
        let told = self.tell_all(|done| Order::Describe { done });
        let is_busy = |card: &Arc<Card>| busy.iter().any(|other| Arc::ptr_eq(card, other));
        let told = told.into_iter().filter(|(card, _)| is_busy(card));
        let asked = told.map(|(card, answer)| async move {
            let answer = timeout(DESCRIBE, answer).await;
            answer
                .ok()
                .and_then(Result::ok)
                .unwrap_or_else(|| card.logging_in())
        });
        join_all(asked).await
    }

    /// Everybody goes on where they were, and the gate opens.
    pub(super) async fn resume_all(&self) {
        let held = self.inner().gate.hold().map_or(0, |hold| hold.sessions);
        let told = self.tell_all(|done| Order::Resume { done });
        self.open_gate(Tally {
            held,
            ..Tally::default()
        });
        answers(told, self.limits.server, |_, ()| ()).await;
    }

    pub(super) fn open_gate(&self, tally: Tally) {
        self.inner().gate = crate::database::Gate::Open;
        self.felt.released(Instant::now(), tally);
        self.announce();
    }

    pub(crate) fn renew(&self) -> Result<GateState, TrafficError> {
        let mut inner = self.inner();
        let hold = inner.gate.hold_mut().ok_or_else(|| self.not_held())?;
        hold.renew();
        Ok(hold.state)
    }

    /// On disk before it is answered: from here on a restarted endpoint must not open the gate.
    pub(crate) async fn seal(&self) -> Result<(), TrafficError> {
        self.inner()
            .gate
            .hold_mut()
            .ok_or_else(|| self.not_held())?
            .seal();
        self.keep().await
    }

    pub(super) fn not_held(&self) -> TrafficError {
        TrafficError::NotHeld {
            dbname: self.dbname.clone(),
        }
    }

    /// Ends the hold when its lease, or its hard limit, has passed.
    pub(crate) async fn watch(self: Arc<Self>, id: u64) {
        loop {
            let (until, state) = match self.inner().gate.hold() {
                Some(hold) if hold.id == id => (hold.until, hold.state),
                _ => return,
            };
            match state {
                _ if Instant::now() < until => tokio::time::sleep_until(until).await,
                GateState::Moving => tokio::time::sleep(LOOK_AGAIN).await,
                GateState::Sealed => return self.expire(),
                _ => self.lapse(id).await,
            }
        }
    }

    async fn lapse(&self, id: u64) {
        let _conducting = self.conductor.lock().await;
        let lapsed =
            self.inner().gate.hold().is_some_and(|hold| {
                hold.id == id && !hold.is_sealed() && hold.until <= Instant::now()
            });
        if lapsed {
            tracing::warn!(
                dbname = self.dbname,
                "nobody renewed the hold: clients go on"
            );
            self.resume_all().await;
        }
    }

    /// The hard limit: clients are told to connect again, and new ones that it is not possible now.
    fn expire(&self) {
        tracing::error!(
            dbname = self.dbname,
            "hold reached its hard limit: clients are closed"
        );
        if let Some(hold) = self.inner().gate.hold_mut() {
            hold.expired = true;
        }
        self.tell_all_without_answer(|| Order::Close);
        self.announce();
    }
}

/// How many are held; or, at the deadline, who is not.
async fn drained(told: Told, deadline: Instant) -> Result<u32, Vec<Arc<Card>>> {
    let answers = told.into_iter().map(|(card, answer)| async move {
        match timeout_at(deadline, answer).await {
            Ok(Ok(())) => Ok(1),
            Ok(Err(_ended)) => Ok(0),
            Err(_busy) => Err(card),
        }
    });
    let (mut held, mut busy) = (0, Vec::new());
    for answer in join_all(answers).await {
        match answer {
            Ok(one) => held += one,
            Err(card) => busy.push(card),
        }
    }
    if busy.is_empty() { Ok(held) } else { Err(busy) }
}
