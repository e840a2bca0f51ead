//! The doors to the world, as traits: what the engine may ask for, and nothing more.
//!
//! The real ones are wired in `upkeep`; a simulated world can stand behind the same traits.

use async_trait::async_trait;

use crate::hold::{Felt, GateState, HoldLimits, HoldReply, Prepared, ReleaseOnto};
use crate::host_command::{Answer, Envelope, Fence, HostError, HostQuery, Outcome};
use crate::id::HostId;
use crate::notice::{Address, Delivery};
use crate::route::{Route, Target};

/// Agents, one a host.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// Sends a command and waits for its outcome.
    ///
    /// Not cancel-safe: dropping the future does not undo what was sent. Send the same envelope
    /// again to learn its outcome.
    async fn command(&self, host: HostId, envelope: &Envelope) -> Result<Outcome, HostError>;

    async fn query(&self, host: HostId, query: &HostQuery) -> Result<Answer, HostError>;
}

/// The endpoint: client traffic of every database.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Sends new sessions of the route's database there. Refused with a fence below the one known.
    async fn route(&self, route: &Route) -> Result<(), TrafficError>;

    async fn forget(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError>;

    /// Probes sessions and opens spares of them on the replacement while it is still a standby.
    /// Returns when every session at a boundary has been tried once.
    async fn prepare(
        &self,
        dbname: &str,
        fence: Fence,
        replacement: &Target,
    ) -> Result<Prepared, TrafficError>;

    /// Sessions look at themselves, so that a hold to come has less to do. Says which of them could
    /// not be rebuilt; opens no spares. Nothing changes by it, so it needs no fence.
    async fn read_sessions(&self, dbname: &str) -> Result<Prepared, TrafficError>;

    /// Holds at transaction boundaries. Answers when all are held, or the drain deadline passed.
    async fn hold(
        &self,
        dbname: &str,
        fence: Fence,
        limits: &HoldLimits,
    ) -> Result<HoldReply, TrafficError>;

    /// Renews the lease of a hold.
    async fn renew(&self, dbname: &str, fence: Fence) -> Result<GateState, TrafficError>;

    /// From here on silence keeps clients waiting, up to the hard limit.
    async fn seal(&self, dbname: &str, fence: Fence) -> Result<(), TrafficError>;

    /// Ends a hold (or a preparation). Twice is once. Answers when everybody goes on.
    async fn release(
        &self,
        dbname: &str,
        fence: Fence,
        onto: &ReleaseOnto,
    ) -> Result<(), TrafficError>;

    /// What clients felt of the last hold of this database. Complete once
    /// writes have been seen again, at the latest `settle_ms` after the release.
    async fn felt(&self, dbname: &str) -> Result<Option<Felt>, TrafficError>;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub enum TrafficError {
    #[error("a newer controller has taken over (fence {seen:?} is above {sent:?})")]
    Stale { sent: Fence, seen: Fence },
    #[error("the endpoint does not know the database `{dbname}`")]
    UnknownDatabase { dbname: String },
    /// There is no hold: it was released by its lease, or the endpoint was started anew.
    #[error("clients of `{dbname}` are not held any more")]
    NotHeld { dbname: String },
    /// The replacement is not the server it should be, or does not take sessions.
    #[error("{sentence}")]
    Failed { sentence: String },
    #[error("no answer from the endpoint: {sentence}")]
    Unknown { sentence: String },
}

/// Brings notices to people: mail, and programs that are called.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Ok when whoever answers for the recipient has taken it. The same delivery may be sent twice: recipients
    /// know it again by its notice.
    async fn deliver(&self, delivery: &Delivery) -> Result<(), DeliveryError>;

    /// Whether something could be sent there at all, as far as that can be told without sending: why not, in half
    /// a sentence.
    fn judge(&self, address: &Address) -> Result<(), String>;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It will not be taken another time either.
    #[error("{sentence}")]
    Refused { sentence: String },
    /// It may be taken later, or has been without anybody saying so.
    #[error("{sentence}")]
    Failed { sentence: String },
}

/// Ids and randomness.
pub trait Random: Send + Sync {
    /// A new id, ordered by time (UUID version 7).
    fn uuid(&self) -> uuid::Uuid;

    fn fill(&self, bytes: &mut [u8]);
}

/// Passwords and their verifiers.
pub trait Credentials: Send + Sync {
    /// A credential with a new random password for `role`.
    fn create(&self, role: &str) -> crate::credential::Credential;
}
