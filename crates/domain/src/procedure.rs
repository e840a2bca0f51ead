//! Procedures as tables: finite, ordered work whose every step can be read before it is run.
//!
//! A table says of each step what people are told, how long it may take and what a failure means.
//! `next` is total: from every step and verdict there is one way on, and every way ends.
//! What a step *does* is the engine's; nothing here touches the world.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub mod changeover;
pub mod destroy;
pub mod failover;
pub mod follow;
pub mod follower_changeover;
pub mod provision;
pub mod restart;
pub mod standby;
pub mod table;
pub mod unfollow;

/// What is told and allowed of one step.
#[derive(Clone, Copy, Debug)]
pub struct StepSpec {
    /// Stable name: rows, events and command ids carry it.
    pub name: &'static str,
    /// What people read while it runs. Present tense, no full stop.
    pub sentence: &'static str,
    /// Longest run of one visit; past it the outcome is *unknown* and the step is looked at again.
    pub deadline: Duration,
    /// Visits before a failure counts as one.
    pub tries: u32,
    /// Pause before the next try.
    pub pause: Duration,
    /// Clients wait while this step runs.
    pub holds_clients: bool,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the end that was asked for; can still be undone.
    Forward,
    /// Its request is the point of no return: from its effect on there is no way back.
    PointOfNoReturn,
    /// Behind the point of no return: only onwards.
    OnlyForward,
    /// Undoing.
    Back,
}

/// Tries that follow one another at once while clients wait; then somebody is away for longer.
const QUICK_TRIES: u32 = 20;
const SLOW_PAUSE: Duration = Duration::from_millis(500);

impl StepSpec {
    /// A step that clients do not wait for, tried again every half second.
    pub(crate) const fn new(
        name: &'static str,
        sentence: &'static str,
        seconds: u64,
        tries: u32,
        direction: Direction,
    ) -> Self {
        Self {
            name,
            sentence,
            deadline: Duration::from_secs(seconds),
            tries,
            pause: Duration::from_millis(500),
            holds_clients: false,
            direction,
        }
    }

    /// Pause before the next try, after `tries` failed ones.
    pub fn pause_after(&self, tries: u32) -> Duration {
        if tries > QUICK_TRIES {
            self.pause.max(SLOW_PAUSE)
        } else {
            self.pause
        }
    }
}

/// How one visit of a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Done,
    /// The world moved under it: an earlier step has to be done anew.
    Again,
    /// It cannot be done, and *it is known* that its effect did not happen.
    Failed,
}

pub const VERDICTS: [Verdict; 3] = [Verdict::Done, Verdict::Again, Verdict::Failed];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<S> {
    Step(S),
    End(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Succeeded,
    /// As if it had never been begun.
    RolledBack,
    /// A person has to look; whatever was fenced stays fenced.
    Stuck,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        })
    }
}

/// The steps of one procedure.
pub trait Steps: Copy + Eq + fmt::Debug + Send + Sync + 'static {
    /// Name of the procedure.
    const PROCEDURE: &'static str;
    /// All steps, in the order in which they are read.
    const ALL: &'static [Self];

    fn spec(self) -> StepSpec;

    /// Where to go on. Total: every step and verdict has an answer.
    fn next(self, verdict: Verdict) -> Next<Self>;

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|step| step.spec().name == name)
    }
}
