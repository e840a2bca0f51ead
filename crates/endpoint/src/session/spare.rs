//! A second session of the same client, on the replacement: opened ahead of the move, in a task of
//! its own, while the first one goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::route::Target;

use super::Login;
use crate::backend::{Backend, DialError, dial};
use crate::database::{Card, Database};
use crate::order::{Done, Readiness};
use crate::state::{RestoreError, SessionState, Unmovable, probe, rebuild};

/// A session on the replacement, and the state it was given.
pub(super) struct Spare {
    pub(super) backend: Backend,
    pub(super) target: Arc<Target>,
    pub(super) state: SessionState,
}

pub(super) enum SpareSlot {
    Empty,
    /// Given up by dropping this.
    Building(oneshot::Receiver<Spare>),
}

impl SpareSlot {
    /// The spare on `target`, if there is one. One that is still being opened is not waited for.
    pub(super) fn take(&mut self, target: &Target) -> Option<Spare> {
        let Self::Building(mut built) = std::mem::replace(self, Self::Empty) else {
            return None;
        };
        let spare = built.try_recv().ok()?;
        (*spare.target == *target).then_some(spare)
    }
}

/// What opening a session elsewhere needs.
pub(super) struct Blueprint {
    pub(super) database: Arc<Database>,
    pub(super) login: Arc<Login>,
    pub(super) target: Arc<Target>,
    pub(super) state: SessionState,
    pub(super) names: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("logging in at the replacement")]
    Dial(#[source] DialError),
    #[error("giving the session its state")]
    Restore(#[from] RestoreError),
}

impl BuildError {
    pub(super) fn reason(&self) -> Unmovable {
        match self {
            Self::Dial(_) => Unmovable::LoginRefused,
            Self::Restore(error) => error.reason(),
        }
    }
}

impl Blueprint {
    /// Opens the session and gives it all of the state that a standby can hold.
    pub(super) async fn build(&self) -> Result<Backend, BuildError> {
        let limit = self.database.limits.server;
        let _turn = self.database.dials.acquire().await;
        let startup = &self.login.startup;
        let dialled = dial(&self.target.address, startup, Some(&self.login.keys), limit).await;
        let mut backend = dialled.map_err(BuildError::Dial)?;
        rebuild(&mut backend, &self.state, startup.user(), true, limit).await?;
        Ok(backend)
    }

    /// Builds a spare in the background. Looking at it afterwards proves it equal, and warms its
    /// caches, so that its first statement is not its slowest.
    pub(super) fn build_spare(self, card: Arc<Card>, done: Done<Readiness>) -> SpareSlot {
        let (built, slot) = oneshot::channel();
        tokio::spawn(async move {
            let readiness = match self.build_and_prove().await {
                Some(backend) => {
                    let Self { target, state, .. } = self;
                    let kept = built
                        .send(Spare {
                            backend,
                            target,
                            state,
                        })
                        .is_ok();
                    card.spare.store(kept, Ordering::Relaxed);
                    Readiness::Spare
                }
                None => Readiness::NoSpare,
            };
            let _ = done.send(readiness);
        });
        SpareSlot::Building(slot)
    }

    async fn build_and_prove(&self) -> Option<Backend> {
        let role = self.login.startup.user();
        let mut backend = match self.build().await {
            Ok(backend) => backend,
            Err(error) => {
                let error = ErrorChain(&error).to_string();
                tracing::info!(
                    dbname = self.database.dbname,
                    role,
                    error,
                    "no spare session yet"
                );
                return None;
            }
        };
        match probe(&mut backend, &self.names, self.database.limits.server).await {
            Ok((state, _)) if state.equal_before_the_move(&self.state) => Some(backend),
            Ok(_) => {
                tracing::warn!(
                    dbname = self.database.dbname,
                    role,
                    "spare session came out different"
                );
                None
            }
            Err(error) => {
                let error = ErrorChain(&error).to_string();
                tracing::info!(
                    dbname = self.database.dbname,
                    role,
                    error,
                    "spare session is dropped"
                );
                None
            }
        }
    }
}
