//! Looking at oneself, becoming complete elsewhere, and going on there.
//!
//! All of it happens at rest: nothing is owed to the client, and what it sends waits.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncWrite};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::route::Target;
use upkeep_wire::frame::Scanner;
use upkeep_wire::message::backend::parameter_status;

use super::spare::{Blueprint, Spare, SpareSlot};
use super::{End, Mode, Rebuilt, Session, dismissed};
use crate::backend::Params;
use crate::order::{Done, Readiness};
use crate::state::{
    RestoreError, Risk, SessionState, Unmovable, finish, give_up_locks, probe, rebuild,
};

impl<C: AsyncRead + AsyncWrite + Unpin> Session<C> {
    /// A boundary that somebody waited for.
    pub(super) async fn rest(&mut self) -> Result<(), End> {
        if let Some((target, done)) = self.preparation.take() {
            self.prepare(target, done).await?;
        }
        if matches!(self.mode, Mode::Draining(_)) && (self.dirty || self.captured.is_none()) {
            // While others still drain; only listeners have to look once more when all are held.
            self.look().await?;
        }
        if let Mode::Draining(_) = self.mode
            && let Mode::Draining(done) = std::mem::replace(&mut self.mode, Mode::Held)
        {
            self.membership.card.held.store(true, Ordering::Relaxed);
            let _ = done.send(());
        }
        Ok(())
    }

    async fn prepare(
        &mut self,
        target: Option<Arc<Target>>,
        done: Done<Readiness>,
    ) -> Result<(), End> {
        self.drop_spare();
        self.look().await?;
        match (&self.captured, self.verdict) {
            (Some(state), None) => {
                let Some(target) = target else {
                    let _ = done.send(Readiness::NoSpare);
                    return Ok(());
                };
                let blueprint = self.blueprint(target, state.clone());
                self.spare = blueprint.build_spare(Arc::clone(&self.membership.card), done);
            }
            (_, verdict) => {
                let reason = verdict.unwrap_or(Unmovable::Unreadable);
                let _ = done.send(Readiness::Unmovable(reason));
            }
        }
        Ok(())
    }

    pub(super) fn drop_spare(&mut self) {
        self.spare = SpareSlot::Empty;
        self.membership.card.spare.store(false, Ordering::Relaxed);
    }

    fn blueprint(&self, target: Arc<Target>, state: SessionState) -> Blueprint {
        Blueprint {
            database: Arc::clone(&self.membership.database),
            login: Arc::clone(&self.login),
            target,
            state,
            names: self.custom_names(),
        }
    }

    /// Names this session was seen to set, and those that others of the database were.
    fn custom_names(&self) -> Vec<String> {
        let mut names = self.notes.names.clone();
        if let Ok(known) = self.database().custom_names.lock() {
            names.extend(
                known
                    .iter()
                    .filter(|name| !self.notes.names.contains(name))
                    .cloned(),
            );
        }
        names
    }

    /// Reads the session's state from its server. What the server says meanwhile goes to the client.
    async fn look(&mut self) -> Result<(), End> {
        (self.captured, self.verdict) = (None, None);
        if self.login.startup.is_replication() {
            self.verdict = Some(Unmovable::Replication);
            return Ok(());
        }
        if self.server_closed {
            self.verdict = Some(Unmovable::Unreadable);
            return Ok(());
        }
        let (names, limit) = (self.custom_names(), self.database().limits.server);
        let told = self.backend.params.clone();
        let probed = probe(&mut self.backend, &names, limit).await;
        self.tell_changed_since(&told);
        match probed {
            Ok((state, asides)) => {
                self.relay(&asides);
                self.verdict = state.unmovable();
                self.captured = Some(state);
                self.dirty = false;
                Ok(())
            }
            Err(error) => {
                let intact = error.leaves_the_session_intact();
                let error = ErrorChain(&error).to_string();
                let dbname = &self.database().dbname;
                tracing::warn!(dbname, intact, error, "a session's state could not be read");
                self.verdict = Some(Unmovable::Unreadable);
                if intact { Ok(()) } else { Err(dismissed()) }
            }
        }
    }

    /// Reported parameters that are not what the client was told last.
    fn tell_changed_since(&mut self, told: &Params) {
        for (name, value) in self.backend.params.changed_since(told) {
            parameter_status(self.to_client.buffer(), name, value);
        }
    }

    /// Notifications and notices that came outside the pump. Always whole messages.
    fn relay(&mut self, asides: &[u8]) {
        let mut asides = asides.to_vec();
        if self.moved {
            let mut scanner = Scanner::new();
            let mut starts = Vec::new();
            let mut at = 0;
            let scanned = scanner.scan(&asides, |piece| {
                if piece.tag == b'A' {
                    starts.push(at + piece.bytes.len() - piece.payload.len());
                }
                at += piece.bytes.len();
            });
            if scanned.is_ok() {
                let (own, told) = (self.backend.key.pid, self.told_pid);
                for payload in starts {
                    upkeep_wire::message::rewrite_pid(&mut asides[payload..], own, told);
                }
            }
        }
        self.to_client.buffer().append(&mut asides);
    }

    /// The last look, when nobody writes any more. What has not changed is not read again, except
    /// where a notification may still be on its way.
    pub(super) async fn capture(&mut self) -> Result<(), End> {
        let listens = self.captured.as_ref().is_some_and(SessionState::listens);
        if self.dirty || listens || self.captured.is_none() {
            self.look().await?;
        }
        Ok(())
    }

    /// Becomes complete on `target`; the client goes on when it is told to.
    pub(super) async fn rebuild(&mut self, target: Arc<Target>) -> Result<(), Unmovable> {
        if let Some(reason) = self.verdict {
            return Err(reason);
        }
        // Asked again, because the route could not be written the first time.
        if self
            .rebuilt
            .as_ref()
            .is_some_and(|rebuilt| *rebuilt.target == *target)
        {
            return Ok(());
        }
        let state = self.captured.clone().ok_or(Unmovable::Unreadable)?;
        if self.target.instance == target.instance && !self.server_closed {
            let limit = self.database().limits.server;
            give_up_locks(&mut self.backend, &state, limit).await;
        }
        if let Some(spare) = self.spare.take(&target) {
            match self.complete_spare(spare, &state).await {
                Ok(rebuilt) => {
                    self.rebuilt = Some(rebuilt);
                    return Ok(());
                }
                Err(error @ RestoreError::Unmovable(_)) => return Err(error.reason()),
                Err(error) => {
                    let error = ErrorChain(&error).to_string();
                    tracing::info!(
                        dbname = self.database().dbname,
                        error,
                        "spare session is of no use"
                    );
                }
            }
        }
        let rebuilt = self.rebuild_anew(target, state).await?;
        self.rebuilt = Some(rebuilt);
        Ok(())
    }

    async fn complete_spare(
        &self,
        spare: Spare,
        state: &SessionState,
    ) -> Result<Rebuilt, RestoreError> {
        let Spare {
            mut backend,
            target,
            state: given,
        } = spare;
        let limit = self.database().limits.server;
        if !given.equal_before_the_move(state) {
            let login = self.login.startup.user();
            rebuild(&mut backend, state, login, false, limit).await?;
        }
        let asides = finish(&mut backend, state, self.notes.unnamed(), limit).await?;
        Ok(Rebuilt {
            backend,
            target,
            asides,
        })
    }

    async fn rebuild_anew(
        &self,
        target: Arc<Target>,
        state: SessionState,
    ) -> Result<Rebuilt, Unmovable> {
        let refused = |error: &dyn std::error::Error| {
            let error = ErrorChain(error).to_string();
            tracing::warn!(
                dbname = self.database().dbname,
                error,
                "a session could not be rebuilt"
            );
        };
        let limit = self.database().limits.server;
        let blueprint = self.blueprint(Arc::clone(&target), state);
        let mut backend = blueprint.build().await.map_err(|error| {
            refused(&error);
            error.reason()
        })?;
        let finished = finish(&mut backend, &blueprint.state, self.notes.unnamed(), limit).await;
        let asides = finished.map_err(|error| {
            refused(&error);
            error.reason()
        })?;
        Ok(Rebuilt {
            backend,
            target,
            asides,
        })
    }

    /// Goes on where it was rebuilt. The old session is dropped, not waited for.
    pub(super) fn go(&mut self, done: Done<Result<Vec<Risk>, Unmovable>>) -> Result<(), End> {
        let Some(Rebuilt {
            backend,
            target,
            asides,
        }) = self.rebuilt.take()
        else {
            let _ = done.send(Err(self.verdict.unwrap_or(Unmovable::Unrestorable)));
            return Err(dismissed());
        };
        let told = std::mem::replace(&mut self.backend, backend).params;
        self.tell_changed_since(&told);
        self.target = target;
        self.moved = true;
        self.from_server = Scanner::new();
        self.gathered.clear();
        (self.server_closed, self.write_side_shut) = (false, false);
        self.membership
            .card
            .backend_pid
            .store(self.backend.key.pid, Ordering::Relaxed);
        self.relay(&asides);
        self.flow();
        let _ = done.send(Ok(self.membership.card.risks()));
        Ok(())
    }

    /// Nobody holds it any more.
    pub(super) fn flow(&mut self) {
        self.mode = Mode::Flowing;
        self.membership.card.held.store(false, Ordering::Relaxed);
        (self.rebuilt, self.dirty) = (None, true);
    }
}
