//! One database: its route, its gate, and the sessions behind them.
//!
//! Everything that must change together stands under one short lock. Long work (holding, moving)
//! is done by one conductor at a time, outside that lock.

mod gate;
mod members;
mod roles;

pub(crate) use gate::{Gate, Hold};
pub(crate) use members::{Admission, Card, Member, Membership};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::Instant;
use upkeep_domain::hold::{GateState, HoldLimits};
use upkeep_domain::host_command::Fence;
use upkeep_domain::ports::TrafficError;
use upkeep_domain::route::{Access, Route, Target};

use crate::authority::Authority;
use crate::config::Limits;
use crate::felt::FeltMeter;
use crate::order::Order;
use crate::routes::{Entry, RouteBook};
use crate::status::DatabaseStatus;

pub(crate) struct Database {
    pub(crate) dbname: String,
    pub(crate) limits: Limits,
    pub(crate) felt: FeltMeter,
    /// Logins at a replacement at the same time.
    pub(crate) dials: Semaphore,
    /// One prepare, hold or release at a time.
    pub(crate) conductor: tokio::sync::Mutex<()>,
    /// Custom settings that any session was seen to set: others may set them inside functions.
    pub(crate) custom_names: Mutex<BTreeSet<String>>,
    book: Arc<RouteBook>,
    inner: Mutex<Inner>,
    /// Told whenever new clients that wait should look at the gate again.
    changed: watch::Sender<()>,
}

/// What changes together.
pub(crate) struct Inner {
    pub(crate) route: Route,
    pub(crate) target: Arc<Target>,
    /// The highest fence seen.
    pub(crate) fence: Fence,
    pub(crate) gate: Gate,
    pub(crate) holds: u64,
    pub(crate) authority: Arc<Authority>,
    pub(crate) replacement: Option<Arc<Authority>>,
    pub(crate) members: BTreeMap<u64, Member>,
    pub(crate) next_member: u64,
    /// Admitted during a drain, and held in their turn.
    pub(crate) latecomers: Vec<(Arc<Card>, oneshot::Receiver<()>)>,
    pub(crate) waiting: u32,
    pub(crate) unmovable: BTreeMap<String, u32>,
    pub(crate) forgotten: bool,
}

impl Database {
    /// As it was kept. One whose hold was sealed stays closed until somebody says where clients go.
    pub(crate) fn from_entry(entry: Entry, limits: &Limits, book: Arc<RouteBook>) -> Arc<Self> {
        let Entry {
            route,
            fence,
            sealed_ms,
        } = entry;
        let gate = sealed_ms.map_or(Gate::Open, |hard_ms| Gate::Closed(Hold::restored(hard_ms)));
        let inner = Inner {
            target: Arc::new(route.target.clone()),
            fence,
            gate,
            holds: 0,
            authority: Arc::new(Authority::new(route.target.clone(), limits)),
            replacement: None,
            members: BTreeMap::new(),
            next_member: 0,
            latecomers: Vec::new(),
            waiting: 0,
            unmovable: BTreeMap::new(),
            forgotten: false,
            route,
        };
        Arc::new(Self {
            dbname: inner.route.dbname.clone(),
            limits: limits.clone(),
            felt: FeltMeter::default(),
            dials: Semaphore::new(limits.dials),
            conductor: tokio::sync::Mutex::default(),
            custom_names: Mutex::default(),
            book,
            inner: Mutex::new(inner),
            changed: watch::Sender::new(()),
        })
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is called on its server, where that is another name.
    pub(crate) fn server_dbname(&self) -> Option<String> {
        self.inner().route.server_dbname.clone()
    }

    pub(crate) fn access(&self) -> Access {
        self.inner().route.access
    }

    /// Makes new clients that wait look again.
    pub(crate) fn announce(&self) {
        self.changed.send_replace(());
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Refuses a fence below the highest one seen, and remembers a higher one.
    pub(crate) async fn accept(&self, sent: Fence) -> Result<(), TrafficError> {
        let raised = {
            let mut inner = self.inner();
            let seen = inner.fence;
            if sent < seen {
                return Err(TrafficError::Stale { sent, seen });
            }
            inner.fence = sent;
            sent > seen
        };
        if raised { self.keep().await } else { Ok(()) }
    }

    /// Puts on disk what a restarted endpoint must know.
    pub(crate) async fn keep(&self) -> Result<(), TrafficError> {
        let entry = self.inner().entry();
        self.book.put(entry).await.map_err(|error| {
            let sentence = upkeep_domain::error_chain::ErrorChain(&error).to_string();
            TrafficError::Failed { sentence }
        })
    }

    /// A pushed route. The instance already pointed to is nothing new; a hold goes on regardless,
    /// except one that is only remembered from before a restart: nobody is behind it.
    pub(crate) async fn point(&self, route: &Route) -> Result<(), TrafficError> {
        self.accept(route.fence).await?;
        {
            let mut inner = self.inner();
            if *inner.target == route.target && inner.route.access == route.access {
                return Ok(());
            }
            let moved = inner.target.instance != route.target.instance;
            inner.set_target(&route.target, &self.limits);
            inner.route = route.clone();
            if moved && inner.gate.is_restored() {
                inner.gate = Gate::Open;
            }
        }
        self.keep().await?;
        self.announce();
        Ok(())
    }

    /// The database is gone: its sessions end, and nobody new comes in.
    pub(crate) fn close(&self) {
        self.inner().forgotten = true;
        self.tell_all_without_answer(|| Order::Close);
        self.announce();
    }

    pub(crate) fn status(&self) -> DatabaseStatus {
        let inner = self.inner();
        let count = |test: fn(&Card) -> bool| {
            inner
                .members
                .values()
                .filter(|member| test(&member.card))
                .count() as u32
        };
        DatabaseStatus {
            dbname: self.dbname.clone(),
            instance: inner.target.instance,
            fence: inner.fence,
            gate: inner.gate.state(),
            sessions: inner.members.len() as u32,
            held: count(Card::is_held),
            waiting: inner.waiting,
            spares: count(Card::has_spare),
            opaque: count(Card::is_opaque),
            unmovable: inner.unmovable.clone(),
            held_ms: inner
                .gate
                .hold()
                .map(|hold| hold.since.elapsed().as_millis() as u64),
            writes: self.felt.writes(),
        }
    }
}

impl Inner {
    fn entry(&self) -> Entry {
        // One that is moving is not closed to anybody after a restart: its route is the new one.
        let sealed = |hold: &&Hold| hold.state == GateState::Sealed;
        Entry {
            route: self.route.clone(),
            fence: self.fence,
            sealed_ms: self
                .gate
                .hold()
                .filter(sealed)
                .map(|hold| hold.limits.hard_ms),
        }
    }

    /// New sessions go there; who may log in is asked there.
    pub(crate) fn set_target(&mut self, target: &Target, limits: &Limits) {
        self.target = Arc::new(target.clone());
        self.route.target = target.clone();
        let prepared = self.replacement.take();
        let prepared = prepared.filter(|authority| authority.target == *target);
        let authority =
            prepared.unwrap_or_else(|| Arc::new(Authority::new(target.clone(), limits)));
        if authority.target.identity == self.authority.target.identity {
            authority.learn_from(&self.authority);
        }
        self.authority = authority;
    }

    /// Closes the gate for one hold.
    pub(crate) fn close_gate(&mut self, limits: &HoldLimits) -> u64 {
        self.holds += 1;
        self.latecomers.clear();
        self.gate = Gate::Closed(Hold::begin(self.holds, limits, Instant::now()));
        self.holds
    }
}
