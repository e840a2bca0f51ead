//! The server, or everything of Upkeep, is away for a while in the moments that matter.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};
use upkeep_testkit::load::Load;
use upkeep_testkit::up::RunningInstance;

use crate::books::Books;
use crate::wait::wait_until;
use crate::world::{World, connect, other};
use crate::{left, load};

/// Far longer than a frozen server's clients would wait for anything else.
const SILENCE: Duration = Duration::from_secs(2);
/// Of a sealed hold.
const HARD_LIMIT: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_while_nobody_is_in_command_a_fenced_primary_answers_nothing_and_clients_wait() {
    let world = World::new().await;
    let load = load::start(&world).await;
    for (step, boundary) in [("disarm", "after_commit"), ("promote", "after_effect")] {
        let from = world.release().await;
        let old = world.primary().await.unwrap();
        let running = world.begin_and_stop_at(step, boundary).await;
        everybody_waits(&load).await;
        answers_nothing(&world, &old).await;
        assert!(load.all_connected(), "{:#?}", load.snapshot().failures);
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{step}: {ending:?}");
        left::nothing_but_the_primary(&world, other(&from)).await;
        load::unharmed(&load, step);
    }
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_hold_whose_lease_has_ended_is_undone() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("hold", "after_commit").await;
    let held = load.snapshot().commits_acknowledged;
    // With nobody in command: the lease is the endpoint's own.
    wait_until("commits after the lease", SOON, async || {
        load.snapshot().commits_acknowledged > held + 100
    })
    .await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    assert_eq!(world.change_over().await.outcome, "succeeded");
    load::promise_held(load).await;
}

/// Without its own state nobody may go on; with it, the run does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_our_own_state_that_dies_under_the_hold_is_started_again() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("seal", "after_commit").await;
    let private = Books::instance(&world.up).expect("the private instance runs");
    world.up.crash_instance(private.pid).unwrap();
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}

/// Held clients are not kept for ever; who comes anew afterwards finds the database where it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_is_away_for_too_long_costs_connections_but_no_commit() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("seal", "after_commit").await;
    wait_until("the hard limit of the hold", HARD_LIMIT * 2, async || {
        load.snapshot().connections_dropped > 0
    })
    .await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::nothing_lost(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_after_a_crash_of_everything_a_run_goes_on_where_it_was() {
    let mut world = World::new().await;
    let load = load::start(&world).await;
    for step in ["catch_up", "promote"] {
        let from = world.release().await;
        let running = world.begin_and_stop_at(step, "after_commit").await;
        let alive = world.instances();
        world.up.crash_everything().await.unwrap();
        assert_eq!(world.instances(), alive, "servers outlive us");
        world.up.start_again().await.unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{step}: {ending:?}");
        left::nothing_but_the_primary(&world, other(&from)).await;
    }
    load::nothing_lost(load).await;
}

/// Nobody's commit is acknowledged for as long as we look.
async fn everybody_waits(load: &Load) {
    let commits = || {
        let now = load.snapshot();
        (now.commits_acknowledged, now.transactions)
    };
    let (before, until) = (commits(), Instant::now() + SILENCE);
    sleep_until(until).await;
    assert_eq!(commits(), before, "somebody committed");
}

async fn answers_nothing(world: &World, old: &RunningInstance) {
    let config = world.direct(old);
    let answered = timeout(SILENCE, connect(&config)).await;
    assert!(answered.is_err(), "a fenced primary let somebody in");
}
