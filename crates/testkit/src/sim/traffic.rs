//! The endpoint's side of the simulated world.

use async_trait::async_trait;
use upkeep_domain::hold::{Felt, GateState, HoldLimits, HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::route::{Route, Target};

use super::Sim;
use super::fault::Doing;
use super::gate::{Gate, Hold};
use super::model::Model;

type Answer<T> = Result<T, TrafficError>;

impl Doing<TrafficError> {
    fn apply<T>(self, effect: impl FnOnce() -> Answer<T>) -> Answer<T> {
        match self {
            Self::Really => effect(),
            Self::Not(error) => Err(error),
            Self::ButSaying(error) => effect().and(Err(error)),
        }
    }
}

impl Model {
    fn gate(&mut self, dbname: &str) -> Answer<&mut Gate> {
        let unknown = || TrafficError::UnknownDatabase {
            dbname: dbname.to_owned(),
        };
        self.gates.get_mut(dbname).ok_or_else(unknown)
    }

    /// The gate, if the fence is none below the highest it has seen.
    fn fenced(&mut self, dbname: &str, sent: Fence) -> Answer<&mut Gate> {
        let seen = self.gate(dbname)?.fence;
        if sent < seen {
            self.stale_calls += 1;
            return Err(TrafficError::Stale { sent, seen });
        }
        let gate = self.gate(dbname)?;
        gate.fence = sent;
        Ok(gate)
    }

    fn held(&mut self, dbname: &str, fence: Fence) -> Answer<&mut Hold> {
        let not_held = || TrafficError::NotHeld {
            dbname: dbname.to_owned(),
        };
        self.fenced(dbname, fence)?
            .hold
            .as_mut()
            .ok_or_else(not_held)
    }

    /// Spares and moved sessions need a server that answers, and that is the one it should be.
    fn need_server(&self, target: &Target) -> Answer<()> {
        let right = self
            .instances
            .get(&target.instance)
            .is_some_and(|instance| {
                instance.is_running() && instance.identity() == target.identity
            });
        let sentence = || "the replacement cannot be used".to_owned();
        right.then_some(()).ok_or_else(|| TrafficError::Failed {
            sentence: sentence(),
        })
    }

    fn release(&mut self, dbname: &str, fence: Fence, onto: &ReleaseOnto) -> Answer<()> {
        self.fenced(dbname, fence)?;
        if let ReleaseOnto::Replacement { target } = onto {
            let gate = self.gate(dbname)?;
            if gate.is_open() {
                let there = gate.target.instance == target.instance;
                let not_held = TrafficError::NotHeld {
                    dbname: dbname.to_owned(),
                };
                return there.then_some(()).ok_or(not_held);
            }
            self.need_server(target)?;
            self.gate(dbname)?.target = target.clone();
        }
        let gate = self.gate(dbname)?;
        gate.prepared = None;
        gate.open();
        Ok(())
    }
}

#[async_trait]
impl Traffic for Sim {
    async fn route(&self, route: &Route) -> Answer<()> {
        self.make(true, |model, doing| {
            if model.gates.contains_key(&route.dbname) {
                model.fenced(&route.dbname, route.fence)?;
            }
            doing.apply(|| {
                let new = || Gate::new(route.target.clone(), route.access, route.fence);
                let gate = model.gates.entry(route.dbname.clone()).or_insert_with(new);
                gate.target = route.target.clone();
                gate.access = route.access;
                Ok(())
            })
        })
        .await
    }

    async fn forget(&self, dbname: &str, fence: Fence) -> Answer<()> {
        self.make(true, |model, doing| {
            if model.gates.contains_key(dbname) {
                model.fenced(dbname, fence)?;
            }
            doing.apply(|| {
                model.gates.remove(dbname);
                model.clients.forget(dbname);
                Ok(())
            })
        })
        .await
    }

    async fn prepare(&self, dbname: &str, fence: Fence, replacement: &Target) -> Answer<Prepared> {
        self.make(true, |model, doing| {
            model.fenced(dbname, fence)?;
            doing.apply(|| {
                model.need_server(replacement)?;
                model.gate(dbname)?.prepared = Some(replacement.clone());
                Ok(Prepared {
                    sessions: 1,
                    spares: 1,
                    ..Prepared::default()
                })
            })
        })
        .await
    }

    async fn read_sessions(&self, dbname: &str) -> Answer<Prepared> {
        self.make(true, |model, doing| {
            model.gate(dbname)?;
            doing.apply(|| {
                Ok(Prepared {
                    sessions: 1,
                    ..Prepared::default()
                })
            })
        })
        .await
    }

    async fn hold(&self, dbname: &str, fence: Fence, limits: &HoldLimits) -> Answer<HoldReply> {
        self.make(true, |model, doing| {
            let gate = model.fenced(dbname, fence)?;
            doing.apply(|| {
                gate.hold.get_or_insert_with(|| Hold::begin(limits));
                Ok(HoldReply::Held {
                    sessions: 1,
                    drained_ms: 0.1,
                })
            })
        })
        .await
    }

    async fn renew(&self, dbname: &str, fence: Fence) -> Answer<GateState> {
        self.make(true, |model, doing| {
            let hold = model.held(dbname, fence)?;
            doing.apply(|| {
                hold.renew();
                Ok(hold.state())
            })
        })
        .await
    }

    async fn seal(&self, dbname: &str, fence: Fence) -> Answer<()> {
        self.make(true, |model, doing| {
            let hold = model.held(dbname, fence)?;
            doing.apply(|| {
                hold.seal();
                Ok(())
            })
        })
        .await
    }

    async fn release(&self, dbname: &str, fence: Fence, onto: &ReleaseOnto) -> Answer<()> {
        self.make(true, |model, doing| {
            model.fenced(dbname, fence)?;
            doing.apply(|| model.release(dbname, fence, onto))
        })
        .await
    }

    async fn felt(&self, dbname: &str) -> Answer<Option<Felt>> {
        self.make(false, |model, doing| {
            let felt = model.gate(dbname)?.felt.clone();
            doing.apply(|| Ok(felt))
        })
        .await
    }
}
