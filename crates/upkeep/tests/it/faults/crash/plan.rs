//! Where the server is to die, and seeing to it that it does.

use std::fmt;
use std::iter::Copied;
use std::slice::Iter;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio::time::sleep;
use upkeep_domain::procedure::{Direction, Next, Steps, Verdict};
use upkeep_testkit::up::{Ended, Running};

use crate::wait::wait_until;
use crate::world::{Ending, World};

pub(super) const BOUNDARIES: [&str; 3] = ["before_effect", "after_effect", "after_commit"];
const LOOK_EVERY: Duration = Duration::from_millis(5);
const SOON: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(super) struct Crash {
    procedure: &'static str,
    pub(super) step: &'static str,
    pub(super) boundary: &'static str,
    direction: Direction,
}

impl fmt::Debug for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.step, self.boundary)
    }
}

pub(super) fn crash<S: Steps>(step: S, boundary: &'static str) -> Crash {
    Crash {
        procedure: S::PROCEDURE,
        step: step.spec().name,
        boundary,
        direction: step.spec().direction,
    }
}

pub(super) fn boundaries<S: Steps>(steps: &[S]) -> Vec<Crash> {
    let of = |step: &S| BOUNDARIES.map(|boundary| crash(*step, boundary));
    steps.iter().flat_map(of).collect()
}

/// At this boundary of every step, if all goes well.
pub(super) fn everywhere<S: Steps>(boundary: &'static str) -> Vec<Crash> {
    let way = way_from(S::ALL[0]).into_iter();
    way.map(|step| crash(step, boundary)).collect()
}

/// Every boundary of every step on the way there. Only one crash of a run is felt by clients; the others ride along.
pub(super) fn on_the_way_there<S: Steps>() -> Vec<Vec<Crash>> {
    let (felt, unfelt): (Vec<S>, Vec<S>) = way_from(S::ALL[0])
        .into_iter()
        .partition(|step| step.spec().holds_clients || step.spec().name == "hold");
    let (after, before): (Vec<S>, Vec<S>) = unfelt
        .into_iter()
        .partition(|step| step.spec().direction == Direction::OnlyForward);
    in_turn([&before, &felt, &after])
}

/// Whoever asks a server that keeps dying may never hear the answer; what was asked for is done.
pub(super) fn begun(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
}

/// The steps from `first` to the end, if all goes well.
pub(super) fn way_from<S: Steps>(first: S) -> Vec<S> {
    let mut way = vec![first];
    while let Next::Step(next) = way[way.len() - 1].next(Verdict::Done) {
        way.push(next);
    }
    way
}

/// Crashes that happen one after the other, in this order.
pub(super) struct Crashes<'a> {
    world: &'a World,
    to_come: Copied<Iter<'a, Crash>>,
    armed: Option<Crash>,
}

impl<'a> Crashes<'a> {
    /// Before the work is begun, so that its first step cannot be missed.
    pub(super) fn arm(world: &'a World, crashes: &'a [Crash]) -> Self {
        let mut crashes = Self {
            world,
            to_come: crashes.iter().copied(),
            armed: None,
        };
        crashes.arm_next();
        crashes
    }

    /// Crashes the server for as long as the work goes on.
    pub(super) async fn ride_along<T>(&mut self, work: &JoinHandle<T>) {
        while !work.is_finished() {
            if self.armed.is_some() && !self.world.up.crash_is_armed() {
                self.arm_next();
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The last boundaries may lie behind what people are told.
    pub(super) async fn all_crossed(mut self) {
        while let Some(crash) = self.armed {
            let crossed = async || !self.world.up.crash_is_armed();
            wait_until(&format!("crash at {crash:?}"), SOON, crossed).await;
            self.arm_next();
        }
    }

    /// A run that was rolled back has no way on, but all of the way back.
    pub(super) async fn all_crossed_on_the_way_back(self) {
        match self.armed {
            Some(crash) if crash.direction != Direction::Back => self.world.up.disarm_crash(),
            _ => self.all_crossed().await,
        }
    }

    fn arm_next(&mut self) {
        self.armed = self.to_come.next();
        if let Some(crash) = self.armed {
            let up = &self.world.up;
            up.arm_crash(crash.procedure, crash.step, crash.boundary)
                .unwrap();
        }
    }
}

/// The boundaries of each group one after the other, those of all groups side by side.
pub(super) fn in_turn<S: Steps>(groups: [&Vec<S>; 3]) -> Vec<Vec<Crash>> {
    let groups = groups.map(|steps| boundaries(steps));
    let longest = groups.iter().map(Vec::len).max().unwrap_or_default();
    let round = |at: usize| {
        let crashes = groups.iter().filter_map(|group| group.get(at).copied());
        crashes.collect()
    };
    (0..longest).map(round).collect()
}

/// Runs a maintenance during which the server dies at each of these boundaries.
pub(super) async fn run_crashing(
    world: &World,
    crashes: &[Crash],
    begin: impl AsyncFnOnce() -> Running,
) -> Ending {
    let mut crashes = Crashes::arm(world, crashes);
    let running = begin().await;
    let work = tokio::spawn(running.ended());
    crashes.ride_along(&work).await;
    let ending = world.ending_told(&work.await.unwrap().unwrap()).await;
    if ending.outcome == "rolled_back" {
        crashes.all_crossed_on_the_way_back().await;
    } else {
        crashes.all_crossed().await;
    }
    world.latest().await
}

pub(super) fn report(crashes: &[Crash], ending: &Ending, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    eprintln!(
        "{seconds:5.1} s  {:<11} {crashes:?} {}",
        ending.outcome, ending.because
    );
}
