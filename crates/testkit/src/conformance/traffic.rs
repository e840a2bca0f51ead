//! What an endpoint keeps to, whoever plays it: the same scripts for the simulated one and for the real one.
//!
//! They do not look at sessions themselves, which only the real one has, nor at time.

use async_trait::async_trait;
use upkeep_domain::hold::{GateState, HoldLimits, HoldReply, ReleaseOnto};
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::{DatabaseId, InstanceId};
use upkeep_domain::ports::{Traffic, TrafficError};
use upkeep_domain::route::{Access, Route, Target};
use uuid::Uuid;

const FENCE: Fence = Fence(7);
const OLDER: Fence = Fence(6);
/// Nothing lapses while a script goes on.
const LIMITS: HoldLimits = HoldLimits {
    drain_ms: 10_000,
    lease_ms: 60_000,
    hard_ms: 120_000,
};

/// An endpoint, and a server to which it can lead; one session of that database is there.
#[async_trait(?Send)]
pub trait TrafficBench: Sync {
    fn traffic(&self) -> &dyn Traffic;

    fn dbname(&self) -> &'static str;

    async fn target(&self) -> Target;
}

/// What came of a call, without its particulars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Done,
    State(GateState),
    Stale,
    UnknownDatabase,
    NotHeld,
    Failed,
    Unknown,
}

impl Kind {
    fn of<T>(result: Result<T, TrafficError>) -> Self {
        match result {
            Ok(_) => Self::Done,
            Err(TrafficError::Stale { .. }) => Self::Stale,
            Err(TrafficError::UnknownDatabase { .. }) => Self::UnknownDatabase,
            Err(TrafficError::NotHeld { .. }) => Self::NotHeld,
            Err(TrafficError::Failed { .. }) => Self::Failed,
            Err(TrafficError::Unknown { .. }) => Self::Unknown,
        }
    }
}

/// One controller's calls about one database.
struct Stage<'a> {
    traffic: &'a dyn Traffic,
    dbname: &'a str,
    target: Target,
    fence: Fence,
}

impl<'a> Stage<'a> {
    async fn new(bench: &'a dyn TrafficBench) -> Self {
        let stage = Self {
            traffic: bench.traffic(),
            dbname: bench.dbname(),
            target: bench.target().await,
            fence: FENCE,
        };
        assert_eq!(stage.route().await, Kind::Done);
        stage
    }

    fn of_an_older_controller(&self) -> Self {
        Self {
            target: self.target.clone(),
            fence: OLDER,
            ..*self
        }
    }

    fn of_nobody(&self) -> Self {
        Self {
            dbname: "nobody",
            target: self.target.clone(),
            ..*self
        }
    }

    /// At the same address, and not the server that it should be.
    fn a_stranger(&self) -> Target {
        let mut stranger = self.target.clone();
        stranger.identity.system_identifier += 1;
        stranger
    }

    async fn route(&self) -> Kind {
        let route = Route {
            database: DatabaseId(Uuid::from_u128(1)),
            dbname: self.dbname.to_owned(),
            server_dbname: None,
            access: Access::ReadWrite,
            fence: self.fence,
            target: self.target.clone(),
        };
        Kind::of(self.traffic.route(&route).await)
    }

    async fn forget(&self) -> Kind {
        Kind::of(self.traffic.forget(self.dbname, self.fence).await)
    }

    async fn prepare(&self, target: &Target) -> Kind {
        let prepared = self.traffic.prepare(self.dbname, self.fence, target);
        Kind::of(prepared.await)
    }

    async fn hold(&self) -> Kind {
        let held = self.traffic.hold(self.dbname, self.fence, &LIMITS).await;
        if let Ok(HoldReply::Blocked { blockers }) = &held {
            panic!("nobody works: {blockers:?}");
        }
        Kind::of(held)
    }

    async fn renew(&self) -> Kind {
        match self.traffic.renew(self.dbname, self.fence).await {
            Ok(state) => Kind::State(state),
            refused => Kind::of(refused),
        }
    }

    async fn seal(&self) -> Kind {
        Kind::of(self.traffic.seal(self.dbname, self.fence).await)
    }

    async fn release(&self, onto: &ReleaseOnto) -> Kind {
        Kind::of(self.traffic.release(self.dbname, self.fence, onto).await)
    }

    async fn release_same(&self) -> Kind {
        self.release(&ReleaseOnto::Same).await
    }

    async fn release_onto(&self, target: &Target) -> Kind {
        let target = target.clone();
        self.release(&ReleaseOnto::Replacement { target }).await
    }
}

pub async fn what_is_done_twice(bench: &dyn TrafficBench) {
    let stage = Stage::new(bench).await;
    for _ in 0..2 {
        assert_eq!(stage.renew().await, Kind::NotHeld);
        assert_eq!(stage.seal().await, Kind::NotHeld);
        for _ in 0..2 {
            assert_eq!(stage.hold().await, Kind::Done);
            assert_eq!(stage.renew().await, Kind::State(GateState::Held));
        }
        for _ in 0..2 {
            assert_eq!(stage.seal().await, Kind::Done);
            assert_eq!(stage.renew().await, Kind::State(GateState::Sealed));
        }
        for _ in 0..2 {
            assert_eq!(stage.release_same().await, Kind::Done);
        }
    }
    assert_eq!(stage.renew().await, Kind::NotHeld);
}

pub async fn onto_which_server(bench: &dyn TrafficBench) {
    let stage = Stage::new(bench).await;
    let stranger = stage.a_stranger();
    assert_eq!(stage.prepare(&stranger).await, Kind::Failed);
    assert_eq!(stage.prepare(&stage.target).await, Kind::Done);
    assert_eq!(stage.hold().await, Kind::Done);
    assert_eq!(stage.seal().await, Kind::Done);
    // Nobody is let go onto it, and nobody is lost by it.
    assert_eq!(stage.release_onto(&stranger).await, Kind::Failed);
    assert_eq!(stage.renew().await, Kind::State(GateState::Sealed));
    for _ in 0..2 {
        assert_eq!(stage.release_onto(&stage.target).await, Kind::Done);
    }
    let another = Target {
        instance: InstanceId(Uuid::from_u128(2)),
        ..stage.target.clone()
    };
    assert_eq!(stage.release_onto(&another).await, Kind::NotHeld);
}

pub async fn whom_it_listens_to(bench: &dyn TrafficBench) {
    let stage = Stage::new(bench).await;
    let older = stage.of_an_older_controller();
    assert_eq!(older.hold().await, Kind::Stale);
    assert_eq!(stage.hold().await, Kind::Done);
    assert_eq!(older.route().await, Kind::Stale);
    assert_eq!(older.prepare(&older.target).await, Kind::Stale);
    assert_eq!(older.renew().await, Kind::Stale);
    assert_eq!(older.seal().await, Kind::Stale);
    assert_eq!(older.release_same().await, Kind::Stale);
    assert_eq!(older.forget().await, Kind::Stale);
    assert_eq!(stage.renew().await, Kind::State(GateState::Held));
    assert_eq!(stage.release_same().await, Kind::Done);
}

pub async fn what_it_does_not_know(bench: &dyn TrafficBench) {
    let stage = Stage::new(bench).await.of_nobody();
    assert_eq!(stage.prepare(&stage.target).await, Kind::UnknownDatabase);
    assert_eq!(stage.hold().await, Kind::UnknownDatabase);
    assert_eq!(stage.renew().await, Kind::UnknownDatabase);
    assert_eq!(stage.seal().await, Kind::UnknownDatabase);
    assert_eq!(stage.release_same().await, Kind::UnknownDatabase);
    let (traffic, dbname) = (stage.traffic, stage.dbname);
    let read = Kind::of(traffic.read_sessions(dbname).await);
    assert_eq!(read, Kind::UnknownDatabase);
    assert_eq!(Kind::of(traffic.felt(dbname).await), Kind::UnknownDatabase);
    // Twice is once.
    assert_eq!(stage.forget().await, Kind::Done);
}
