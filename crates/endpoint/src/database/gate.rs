//! Whether sessions of a database flow, and if not, until when they may be kept waiting.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::hold::{GateState, HoldLimits};

pub(crate) enum Gate {
    Open,
    Closed(Hold),
}

/// One hold.
pub(crate) struct Hold {
    /// Distinguishes it from earlier ones; 0 for one remembered from before a restart.
    pub(crate) id: u64,
    pub(crate) state: GateState,
    pub(crate) limits: HoldLimits,
    pub(crate) since: Instant,
    /// Without a renewal, everybody goes on at this time; once sealed, the hard limit.
    pub(crate) until: Instant,
    /// The hard limit has passed: new clients are refused until it is known where they go.
    pub(crate) expired: bool,
    pub(crate) sessions: u32,
}

impl Hold {
    pub(super) fn begin(id: u64, limits: &HoldLimits, now: Instant) -> Self {
        Self {
            id,
            state: GateState::Holding,
            limits: limits.clone(),
            since: now,
            until: now + Duration::from_millis(limits.lease_ms),
            expired: false,
            sessions: 0,
        }
    }

    /// A sealed hold whose endpoint was started anew: no session is left of it.
    pub(super) fn restored(hard_ms: u64) -> Self {
        let limits = HoldLimits {
            hard_ms,
            ..HoldLimits::default()
        };
        let mut hold = Self::begin(0, &limits, Instant::now());
        hold.seal();
        hold
    }

    pub(crate) fn renew(&mut self) {
        if !self.is_sealed() {
            self.until = Instant::now() + Duration::from_millis(self.limits.lease_ms);
        }
    }

    /// Twice is once: the hard limit counts from the first time.
    pub(crate) fn seal(&mut self) {
        if !self.is_sealed() {
            self.state = GateState::Sealed;
            self.until = Instant::now() + Duration::from_millis(self.limits.hard_ms);
        }
    }

    pub(crate) fn is_sealed(&self) -> bool {
        matches!(self.state, GateState::Sealed | GateState::Moving)
    }
}

impl Gate {
    pub(crate) fn hold(&self) -> Option<&Hold> {
        match self {
            Self::Open => None,
            Self::Closed(hold) => Some(hold),
        }
    }

    pub(crate) fn hold_mut(&mut self) -> Option<&mut Hold> {
        match self {
            Self::Open => None,
            Self::Closed(hold) => Some(hold),
        }
    }

    pub(crate) fn state(&self) -> GateState {
        self.hold().map_or(GateState::Open, |hold| hold.state)
    }

    pub(crate) fn is_restored(&self) -> bool {
        self.hold().is_some_and(|hold| hold.id == 0)
    }
}
