//! The server is ended with SIGKILL at every boundary of every step of the changeover, under load.
//!
//! Loops over the step table: a new step is tried without a line here.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::procedure::{Direction, Next, Steps, Verdict};
use upkeep_testkit::up::Running;

use crate::bypass::Bypass;
use crate::wait::wait_until;
use crate::witness::Witness;
use crate::world::{Ending, World, other};
use crate::{left, load};

const BOUNDARIES: [&str; 3] = ["before_effect", "after_effect", "after_commit"];
const LOOK_EVERY: Duration = Duration::from_millis(5);
const SOON: Duration = Duration::from_secs(10);

type Crash = (Step, &'static str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_there_harms_nobody() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let (felt, unfelt): (Vec<Step>, Vec<Step>) = way_from(Step::ALL[0])
        .into_iter()
        .partition(|step| step.spec().holds_clients || *step == Step::Hold);
    let (after, before): (Vec<Step>, Vec<Step>) = unfelt
        .into_iter()
        .partition(|step| step.spec().direction == Direction::OnlyForward);
    let (before, felt, after) = (boundaries(&before), boundaries(&felt), boundaries(&after));
    // Only one crash of a run is felt by clients; the others ride along.
    for round in 0..before.len().max(felt.len()).max(after.len()) {
        let crashes: Vec<_> = [&before, &felt, &after]
            .iter()
            .filter_map(|crashes| crashes.get(round).copied())
            .collect();
        let (began, from) = (Instant::now(), world.release().await);
        let ending = change_over_crashing(&world, &crashes).await;
        report(&crashes, &ending, began);
        let undone = ending.outcome == "rolled_back" && crashes.iter().any(outlives_its_lease);
        assert!(
            ending.outcome == "succeeded" || undone,
            "{crashes:?}: {ending:?}"
        );
        let now_on = if undone { &from } else { other(&from) };
        left::nothing_but_the_primary(&world, now_on).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_dies_at_any_boundary_on_the_way_back_harms_nobody() {
    let world = Arc::new(World::new().await);
    let load = load::start(&world).await;
    let witness = Witness::start(&world).await;
    let bypass = Bypass::start(&world).await;
    let (felt, unfelt): (Vec<Step>, Vec<Step>) = way_from(Step::Rearm)
        .into_iter()
        .partition(|step| step.spec().holds_clients);
    let again = boundaries(&[Step::Unfence]);
    let (felt, unfelt) = (boundaries(&felt), boundaries(&unfelt));
    let release = world.release().await;
    for round in 0..felt.len().max(unfelt.len()).max(again.len()) {
        let crashes: Vec<_> = [&again, &felt, &unfelt]
            .iter()
            .filter_map(|crashes| crashes.get(round).copied())
            .collect();
        let began = Instant::now();
        let ending = change_over_crashing(&world, &crashes).await;
        report(&crashes, &ending, began);
        assert_eq!(ending.outcome, "rolled_back", "{crashes:?}: {ending:?}");
        assert!(ending.because.contains("bypass the endpoint"), "{ending:?}");
        left::nothing_but_the_primary(&world, &release).await;
        load::unharmed(&load, &format!("{crashes:?}"));
    }
    bypass.stop_unharmed(&world).await;
    witness.saw_one_writer_at_a_time().await;
    load::promise_held(load).await;
}

/// A hold is a lease until it is sealed: if a server is away for longer, everybody goes on on the old
/// primary, and the run must undo itself.
fn outlives_its_lease((step, boundary): &Crash) -> bool {
    match step {
        Step::Hold => *boundary != "before_effect",
        Step::Mark => true,
        Step::Seal => *boundary == "before_effect",
        _ => false,
    }
}

/// The steps from `first` to the end, if all goes well.
fn way_from(first: Step) -> Vec<Step> {
    let mut way = vec![first];
    while let Next::Step(next) = way[way.len() - 1].next(Verdict::Done) {
        way.push(next);
    }
    way
}

fn boundaries(steps: &[Step]) -> Vec<Crash> {
    let of = |step: &Step| BOUNDARIES.map(|boundary| (*step, boundary));
    steps.iter().flat_map(of).collect()
}

/// Runs a maintenance during which the server dies at each of these boundaries, in this order.
async fn change_over_crashing(world: &World, crashes: &[Crash]) -> Ending {
    let mut to_come = crashes.iter();
    let mut armed = arm(world, to_come.next());
    let running: Running = world.begin().await;
    let ended = tokio::spawn(running.ended());
    while !ended.is_finished() {
        if armed.is_some() && !world.up.crash_is_armed() {
            armed = arm(world, to_come.next());
        }
        sleep(LOOK_EVERY).await;
    }
    let ending = world.latest().await;
    if ending.outcome == "rolled_back" && armed.is_some_and(|crash| !goes_back(*crash)) {
        world.up.disarm_crash();
    } else if armed.is_some() {
        // The last boundary lies behind what people are told.
        let crossed = async || !world.up.crash_is_armed();
        wait_until(&format!("crash at {armed:?}"), SOON, crossed).await;
        assert_eq!(to_come.next(), None, "never crossed");
    }
    world.latest().await
}

fn goes_back((step, _): Crash) -> bool {
    step.spec().direction == Direction::Back
}

fn arm<'a>(world: &World, crash: Option<&'a Crash>) -> Option<&'a Crash> {
    if let Some((step, boundary)) = crash {
        let arm = world
            .up
            .arm_crash(Step::PROCEDURE, step.spec().name, boundary);
        arm.unwrap();
    }
    crash
}

fn report(crashes: &[Crash], ending: &Ending, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    let crashes: Vec<_> = crashes
        .iter()
        .map(|(step, boundary)| format!("{} {boundary}", step.spec().name))
        .collect();
    eprintln!(
        "{seconds:5.1} s  {:<11} {} {}",
        ending.outcome,
        crashes.join(", "),
        ending.because
    );
}
