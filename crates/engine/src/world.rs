//! The world as arguments: every door that the engine may use.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::HostId;
use upkeep_domain::maintenance::Policy;
use upkeep_domain::plan::Plans;
use upkeep_domain::ports::{Courier, Credentials, Hosts, Random, Traffic};

/// Moments in the life of a step at which a controller may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// The step is recorded as the present one; nothing of it is done.
    BeforeEffect,
    /// It is done; nobody has recorded that.
    AfterEffect,
    /// What comes next is recorded.
    AfterCommit,
}

/// Is told of every boundary that the driver crosses: the one place from which crash tests end a
/// controller, at every step of every table, without a name in any step.
pub trait Boundaries: Send + Sync {
    fn cross(&self, procedure: &str, step: &str, boundary: Boundary);
}

/// Nobody wants to know.
pub struct Unwatched;

impl Boundaries for Unwatched {
    fn cross(&self, _procedure: &str, _step: &str, _boundary: Boundary) {}
}

pub struct World {
    pub hosts: Arc<dyn Hosts>,
    pub traffic: Arc<dyn Traffic>,
    pub random: Arc<dyn Random>,
    pub credentials: Arc<dyn Credentials>,
    pub courier: Arc<dyn Courier>,
    pub boundaries: Arc<dyn Boundaries>,
    /// Where new instances are made: the one host there is.
    pub host: HostId,
    pub plans: Plans,
    pub policy: Policy,
    pub hold_limits: HoldLimits,
    /// How often it is looked for what has to be maintained.
    pub plan_every: Duration,
    /// How long a standby is watched on a new release before anybody is sent to it.
    pub soak: Duration,
    /// How long followers may take to follow a new primary before they are replaced.
    pub followers_within: Duration,
    /// How long an old instance is kept, stopped, after a changeover.
    pub retire_grace: Duration,
}
