//! The agent, or a PostgreSQL server, dies.

use std::fs;
use std::time::Duration;

use upkeep_testkit::up::Role;

use super::ballast;
use crate::wait::wait_until;
use crate::world::{World, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_copy_that_loses_its_agent_is_made_again() {
    let world = World::new().await;
    let from = world.release().await;
    ballast::load(&world).await;
    let mut running = world.begin().await;
    let sender = ballast::half_copied(&world, &mut running).await;
    world.up.crash(Role::Agent).unwrap();
    sender.go_on();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
}

/// With the server at the same moment: whoever comes back first must find the other's traces.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_agent_that_dies_in_the_middle_of_a_switch_is_waited_for() {
    let world = World::new().await;
    let load = load::start(&world).await;
    for (step, boundary) in [
        ("seal", "after_commit"),
        // It has done it, and nobody has heard of it: its journal on disk answers.
        ("fence", "after_effect"),
        ("disarm", "after_effect"),
        ("promote", "after_effect"),
        ("release", "after_commit"),
    ] {
        let from = world.release().await;
        let running = world.begin_and_stop_at(step, boundary).await;
        world.up.crash(Role::Agent).unwrap();
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        eprintln!("{step}: {} {}", ending.outcome, ending.because);
        assert_eq!(ending.outcome, "succeeded", "{step}: {ending:?}");
        left::nothing_but_the_primary(&world, other(&from)).await;
        load::unharmed(&load, step);
    }
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_dies_before_it_has_caught_up_is_thrown_away() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world
        .begin_and_stop_at("start_replacement", "after_commit")
        .await;
    crash_the_replacement(&world).await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_dies_before_its_promotion_leaves_one_primary() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("seal", "after_commit").await;
    crash_the_replacement(&world).await;
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    // It is started again as the standby that it is, and has all that the marker covers.
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::nothing_lost(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_an_old_primary_that_dies_under_the_hold_comes_back_with_every_commit() {
    let world = World::new().await;
    let load = load::start_synchronous(&world).await;
    let from = world.release().await;
    let running = world.begin_and_stop_at("hold", "after_commit").await;
    let old = world.primary().await.unwrap();
    world.up.crash_instance(old.pid).unwrap();
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    let told = load.snapshot().commits_acknowledged;
    wait_until("commits on the old primary", SOON, async || {
        load.snapshot().commits_acknowledged > told + 100
    })
    .await;
    // Whether connections live depends on the lease, which may end before the server is back.
    load::nothing_lost(load).await;
}

/// The old primary is disarmed by then: for once the way back has all of it to undo.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_cannot_be_promoted_leaves_the_old_primary_in_charge() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    for boundary in ["before_effect", "after_effect", "after_commit"] {
        let running = world.begin_and_stop_at("disarm", "after_commit").await;
        let replacement = world.replacement().await.expect("the replacement runs");
        world.up.crash_instance(replacement.pid).unwrap();
        // Without it no server starts.
        fs::remove_file(replacement.data_dir.join("global/pg_control")).unwrap();
        world.up.arm_crash("changeover", "rearm", boundary).unwrap();
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
        assert!(!world.up.crash_is_armed(), "{ending:?}");
        left::nothing_but_the_primary(&world, &from).await;
        load::unharmed(&load, boundary);
    }
    load::promise_held(load).await;
}

async fn crash_the_replacement(world: &World) {
    let replacement = world.replacement().await.expect("the replacement runs");
    world.up.crash_instance(replacement.pid).unwrap();
}
