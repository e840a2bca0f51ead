//! A frozen instance of which nobody speaks is killed and never thawed.

use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::ProcessState;

use crate::world::{World, state, wait_for};

async fn freeze(world: &World, instance: InstanceId, silence_ms: u64) {
    let marker = world.mark(instance).await;
    let frozen = world
        .done(HostCommand::Freeze {
            instance,
            marker,
            silence_ms,
        })
        .await;
    assert!(
        matches!(frozen, Outcome::Fenced { killed: false, .. }),
        "{frozen:?}"
    );
}

/// Watches its processes, without asking the agent, until they are gone.
async fn ends_without_a_thaw(world: &World, instance: InstanceId) {
    let server = world.server_pid(instance);
    wait_for("the kill", || {
        let now = state(server);
        assert!(matches!(now, Some('T' | 'Z') | None), "it goes on: {now:?}");
        matches!(now, Some('Z') | None)
    })
    .await;
    wait_for("its children's end", || {
        world.processes(instance).is_empty()
    })
    .await;
}

#[tokio::test]
async fn silence_kills_and_a_thaw_starts_it_again() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 300).await;
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
async fn being_spoken_of_keeps_it_frozen() {
    let (world, _, instance) = World::with_primary().await;
    freeze(&world, instance, 400).await;
    for _ in 0..10 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(world.see(instance).await.process, ProcessState::Frozen);
    }
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
