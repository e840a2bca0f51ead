//! A frozen instance of which nobody speaks is killed and never thawed.

use std::time::{Duration, Instant};

use upkeep_agent::control_data::{ClusterState, ControlData};
use upkeep_agent::wal;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::ProcessState;

use crate::world::{World, wait_for, wait_until};

/// With a client that writes on as soon as it can.
async fn freeze(world: &World, instance: InstanceId, silence_ms: u64) {
    let client = world.client(instance).await;
    client
        .batch_execute("CREATE TABLE IF NOT EXISTS t (x int)")
        .await
        .unwrap();
    tokio::spawn(async move {
        while client
            .batch_execute("INSERT INTO t VALUES (1)")
            .await
            .is_ok()
        {}
    });
    let marker = world.mark(instance).await;
    world
        .done(HostCommand::Freeze {
            instance,
            marker,
            silence_ms,
        })
        .await;
    assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
}

/// Without asking the agent. Had it gone on for a moment, the client would have written.
async fn ends_without_a_thaw(world: &World, instance: InstanceId) {
    let data = world.data(instance);
    let written = || wal::behind(&data, ControlData::read(&data).unwrap().checkpoint_redo).unwrap();
    let when_frozen = written();
    wait_for("the kill", || world.processes(instance).is_empty()).await;
    assert_eq!(written(), when_frozen);
    assert_eq!(
        ControlData::read(&data).unwrap().state,
        ClusterState::InProduction
    );
}

#[tokio::test]
async fn silence_kills_and_a_thaw_starts_it_again() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 1_000).await;
    ends_without_a_thaw(&world, instance).await;
    world.done(HostCommand::Thaw { instance }).await;
    let seen = world.see(instance).await;
    assert_eq!(
        (seen.process, seen.in_recovery),
        (ProcessState::Running, Some(false))
    );
    // The watcher of the freeze before is gone with it.
    freeze(&world, instance, 60_000).await;
    assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
}

#[tokio::test]
async fn commands_keep_it_frozen_and_looking_at_it_does_not() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 2_000).await;
    let began = Instant::now();
    wait_until("twice its silence is over", async || {
        // Whatever it says to it: it was spoken of.
        world.done(HostCommand::Rearm { instance }).await;
        assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
        began.elapsed() > Duration::from_secs(4)
    })
    .await;
    world
        .wait_until(instance, "it is killed while it is looked at", |seen| {
            seen.process == ProcessState::Stopped
        })
        .await;
    world.done(HostCommand::Thaw { instance }).await;
    assert!(world.see(instance).await.accepts_connections);
}

#[tokio::test]
async fn a_new_agent_goes_on_watching() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 2_000).await;
    let world = world.with_a_new_agent().await;
    assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
    ends_without_a_thaw(&world, instance).await;
}

#[tokio::test]
async fn a_disarmed_one_is_not_thawed() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 60_000).await;
    world.done(HostCommand::Disarm { instance }).await;
    let refused = world
        .send(HostCommand::Thaw { instance })
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("rearm it"), "{refused}");
    assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
    world.done(HostCommand::Rearm { instance }).await;
    world.done(HostCommand::Thaw { instance }).await;
    assert!(world.see(instance).await.accepts_connections);
}
