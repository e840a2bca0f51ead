//! Releasing: back where everybody was, or onto the replacement behind a barrier.
//!
//! Nobody goes on before everybody's LISTEN and advisory locks stand on the new server, or the first
//! ones could notify, or lock, what the others still miss.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::hold::GateState;
use upkeep_domain::ports::TrafficError;
use upkeep_domain::route::{Access, Target};

use super::prepare::unusable;
use super::{answers, count};
use crate::authority::Authority;
use crate::database::Database;
use crate::felt::Tally;
use crate::order::Order;

impl Database {
    pub(crate) async fn release_same(&self) -> Result<(), TrafficError> {
        let _conducting = self.conductor.lock().await;
        self.inner().replacement = None;
        self.tell_all_without_answer(|| Order::Unprepare);
        let (closed, sealed) = {
            let mut inner = self.inner();
            let hold = inner.gate.hold_mut();
            let sealed = hold.as_ref().is_some_and(|hold| hold.is_sealed());
            let closed = hold.map(|hold| hold.state = GateState::Held).is_some();
            (closed, sealed)
        };
        if sealed {
            self.keep().await?;
        }
        if closed {
            self.resume_all().await;
        }
        Ok(())
    }

    pub(crate) async fn release_onto(&self, target: &Target) -> Result<(), TrafficError> {
        let _conducting = self.conductor.lock().await;
        {
            let inner = self.inner();
            if inner.gate.hold().is_none() {
                let there = inner.target.instance == target.instance;
                return if there { Ok(()) } else { Err(self.not_held()) };
            }
        }
        let authority = self.authority_of(target).await?;
        if self.access() == Access::ReadWrite {
            let checked = authority.check_primary().await;
            checked.map_err(|error| unusable(&error))?;
        }
        self.turn_to(target, authority);
        let told = self.rebuild_all(target);
        // Written while sessions are rebuilt, and before anybody goes on: whatever happens from then
        // on, nobody goes to the old server.
        let (kept, ()) = tokio::join!(self.keep(), told);
        if kept.is_err() {
            self.turn_back();
            return kept;
        }
        let tally = self.let_all_go().await;
        let (moved, reasons) = (tally.moved, tally.closed.len());
        tracing::info!(dbname = self.dbname, moved, reasons, "sessions moved");
        Ok(())
    }

    fn turn_to(&self, target: &Target, authority: Arc<Authority>) {
        let mut inner = self.inner();
        inner.replacement = Some(authority);
        inner.set_target(target, &self.limits);
        if let Some(hold) = inner.gate.hold_mut() {
            hold.state = GateState::Moving;
        }
    }

    /// Not on disk: everybody waits on, until somebody asks again or the hard limit.
    fn turn_back(&self) {
        if let Some(hold) = self.inner().gate.hold_mut() {
            hold.state = GateState::Sealed;
        }
    }

    /// The barrier.
    async fn rebuild_all(&self, target: &Target) {
        let target = Arc::new(target.clone());
        let told = self.tell_all(|done| Order::Rebuild {
            target: Arc::clone(&target),
            done,
        });
        let rebuilt = answers(told, self.limits.barrier, |_, _| ());
        if tokio::time::timeout(self.limits.barrier, rebuilt)
            .await
            .is_err()
        {
            tracing::warn!(
                dbname = self.dbname,
                "not every session was rebuilt in time"
            );
        }
    }

    async fn let_all_go(&self) -> Tally {
        let held = self.inner().gate.hold().map_or(0, |hold| hold.sessions);
        let mut tally = Tally {
            held,
            ..Tally::default()
        };
        let told = self.tell_all(|done| Order::Go { done });
        // Open already: a session that is rebuilt late must not keep new clients waiting.
        self.open_gate(tally.clone());
        let patience = self.limits.server * 2 + Duration::from_secs(1);
        answers(told, patience, |_, outcome| match outcome {
            Ok(risks) => {
                tally.moved += 1;
                for risk in risks {
                    count(&mut tally.at_risk, risk);
                }
            }
            Err(reason) => count(&mut tally.closed, reason),
        })
        .await;
        self.felt.counted(tally.clone());
        tally
    }
}
