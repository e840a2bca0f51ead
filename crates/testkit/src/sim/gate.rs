//! The gate of one database, as the endpoint keeps it: route, fence, hold.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::hold::{Felt, GateState, HoldLimits};
use upkeep_domain::host_command::Fence;
use upkeep_domain::route::{Access, Target};

pub(super) struct Gate {
    pub(super) target: Target,
    pub(super) access: Access,
    /// How many records its readers have seen.
    pub(super) shown: usize,
    pub(super) fence: Fence,
    pub(super) hold: Option<Hold>,
    /// Spares stand open on it.
    pub(super) prepared: Option<Target>,
    pub(super) felt: Option<Felt>,
}

pub(super) struct Hold {
    pub(super) sealed: bool,
    limits: HoldLimits,
    until: Instant,
}

impl Hold {
    pub(super) fn begin(limits: &HoldLimits) -> Self {
        Self {
            sealed: false,
            limits: limits.clone(),
            until: Instant::now() + Duration::from_millis(limits.lease_ms),
        }
    }

    pub(super) fn renew(&mut self) {
        if !self.sealed {
            self.until = Instant::now() + Duration::from_millis(self.limits.lease_ms);
        }
    }

    /// Twice is once: the hard limit counts from the first time.
    pub(super) fn seal(&mut self) {
        if !self.sealed {
            self.sealed = true;
            self.until = Instant::now() + Duration::from_millis(self.limits.hard_ms);
        }
    }

    pub(super) fn state(&self) -> GateState {
        if self.sealed {
            GateState::Sealed
        } else {
            GateState::Held
        }
    }
}

impl Gate {
    pub(super) fn new(target: Target, access: Access, fence: Fence) -> Self {
        Self {
            target,
            access,
            shown: 0,
            fence,
            hold: None,
            prepared: None,
            felt: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.hold.is_none()
    }

    pub(super) fn open(&mut self) {
        if self.hold.take().is_some() {
            self.felt = Some(Felt {
                sessions_held: 1,
                ..Felt::default()
            });
        }
    }

    /// Silence lets everybody go on, unless the hold is sealed.
    pub(super) fn lapse(&mut self) {
        let lapsed = |hold: &Hold| !hold.sealed && hold.until <= Instant::now();
        if self.hold.as_ref().is_some_and(lapsed) {
            self.open();
        }
    }

    /// Until when the hold lasts if nobody is heard of; one that is sealed does not lapse.
    pub(super) fn lapses_at(&self) -> Option<Instant> {
        let hold = self.hold.as_ref().filter(|hold| !hold.sealed)?;
        Some(hold.until).filter(|until| *until > Instant::now())
    }

    /// Clients waited longer than the hard limit and were told to connect again.
    pub(super) fn expired(&self) -> bool {
        let expired = |hold: &Hold| hold.sealed && hold.until <= Instant::now();
        self.hold.as_ref().is_some_and(expired)
    }
}
