//! The world as arguments: every door that the engine may use.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::HostId;
use upkeep_domain::ports::{Credentials, Hosts, Random, Traffic};

pub struct World {
    pub hosts: Arc<dyn Hosts>,
    pub traffic: Arc<dyn Traffic>,
    pub random: Arc<dyn Random>,
    pub credentials: Arc<dyn Credentials>,
    /// Where new instances are made: the one host there is.
    pub host: HostId,
    pub hold_limits: HoldLimits,
    /// How long an old instance is kept, stopped, after a changeover.
    pub retire_grace: Duration,
}
