//! A follower becomes a database of its own: promoted where it is, with its sessions, which can write
//! from then on.
//!
//! Its former leader does not notice. There is no way back: the histories have parted.

use serde::{Deserialize, Serialize};

use super::Direction::{Forward, OnlyForward, PointOfNoReturn};
use super::changeover::KEEP_TRYING;
use super::{End, Next, StepSpec, Steps, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Check,
    Promote,
    OpenRoute,
    DropSlot,
}

use Step::*;

impl Steps for Step {
    const PROCEDURE: &'static str = "unfollow";
    const ALL: &'static [Self] = &[Check, Promote, OpenRoute, DropSlot];

    fn spec(self) -> StepSpec {
        match self {
            Check => StepSpec::new("check", "Looking at the follower", 30, 1, Forward),
            Promote => StepSpec::new(
                "promote",
                "Promoting the follower",
                60,
                KEEP_TRYING,
                PointOfNoReturn,
            ),
            OpenRoute => StepSpec::new(
                "open_route",
                "Telling the endpoint that it takes writes",
                60,
                KEEP_TRYING,
                OnlyForward,
            ),
            DropSlot => StepSpec::new(
                "drop_slot",
                "Letting the former leader keep WAL for it no longer",
                60,
                KEEP_TRYING,
                OnlyForward,
            ),
        }
    }

    fn next(self, verdict: Verdict) -> Next<Self> {
        match (self, verdict) {
            (Check, Verdict::Done) => Next::Step(Promote),
            (Promote, Verdict::Done) => Next::Step(OpenRoute),
            (OpenRoute, Verdict::Done) => Next::Step(DropSlot),
            (DropSlot, Verdict::Done) => Next::End(End::Succeeded),
            // Of `promote` it is *known* that nobody asked the server.
            (Check | Promote, _) => Next::End(End::RolledBack),
            (OpenRoute | DropSlot, _) => Next::End(End::Stuck),
        }
    }
}
