//! Copies that are cut off, and instances that outlive their agent.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::instance::{BackupProgress, ProcessState};

use crate::world::{SLOT, World, new_instance, wait_for};

/// Those that copy into this folder.
fn copying_into(data: &std::path::Path) -> Vec<Pid> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let data = data.display().to_string();
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("pg_basebackup") && line.contains(&data)
    })
    .map(Pid::from_raw)
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_cut_off_says_so_and_is_begun_anew() {
    let (world, release, source) = World::with_primary().await;
    let client = world.client(source).await;
    let fill =
        "CREATE TABLE filler AS SELECT repeat(md5(i::text), 30) FROM generate_series(1, 150000) i";
    client.batch_execute(fill).await.unwrap();

    let copy = new_instance();
    world
        .done(world.copy_of(source, copy, release.clone()))
        .await;
    wait_for("the copying program", || {
        !copying_into(&world.data(copy)).is_empty()
    })
    .await;
    for pid in copying_into(&world.data(copy)) {
        kill(pid, Signal::SIGKILL).unwrap();
    }
    let failed = |seen: &upkeep_domain::instance::Observation| {
        matches!(seen.backup, Some(BackupProgress::Failed { .. }))
    };
    world.wait_until(copy, "the copy has failed", failed).await;
    let world = world.with_a_new_agent().await;
    assert!(failed(&world.see(copy).await), "also for a new agent");
    let refused = world
        .send(HostCommand::StartInstance { instance: copy })
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("not complete"), "{refused}");

    world.done(world.copy_of(source, copy, release)).await;
    world
        .wait_until(copy, "the copy is complete", |seen| {
            matches!(seen.backup, Some(BackupProgress::Done { bytes }) if bytes > 100_000_000)
        })
        .await;
    world
        .done(HostCommand::StartInstance { instance: copy })
        .await;
    let seen = world
        .wait_until(copy, "it streams", |seen| seen.streaming == Some(true))
        .await;
    let (ours, theirs) = (
        seen.identity.unwrap(),
        world.see(source).await.identity.unwrap(),
    );
    assert_eq!(ours.system_identifier, theirs.system_identifier);
    assert_ne!(ours.token, theirs.token);
    assert!(!seen.promotion_requested && seen.in_recovery == Some(true));

    world
        .done(HostCommand::DropSlot {
            instance: source,
            slot: SLOT.to_owned(),
        })
        .await;
    assert_eq!(
        world
            .done(HostCommand::DropSlot {
                instance: source,
                slot: SLOT.to_owned()
            })
            .await,
        Outcome::Done
    );
}

#[tokio::test]
async fn an_instance_outlives_its_agent_and_the_next_one_stops_it() {
    let (world, _, instance) = World::with_primary().await;
    let server = world.server_pid(instance);
    let world = world.with_a_new_agent().await;
    let seen = world.see(instance).await;
    assert!(seen.accepts_connections);
    assert_eq!(world.server_pid(instance), server);
    world.done(HostCommand::StopInstance { instance }).await;
    assert_eq!(world.see(instance).await.process, ProcessState::Stopped);
    assert!(world.processes(instance).is_empty());
    world.done(HostCommand::StopInstance { instance }).await;
}

#[tokio::test]
async fn a_killed_server_starts_again_though_its_lock_is_left() {
    let (world, _, instance) = World::with_primary().await;
    kill(Pid::from_raw(world.server_pid(instance)), Signal::SIGKILL).unwrap();
    // Not waited for: the agent has to see that it is dead, reaped or not.
    tokio::time::timeout(Duration::from_secs(20), async {
        world
            .wait_until(instance, "it is seen dead", |s| {
                s.process == ProcessState::Stopped
            })
            .await;
        world.done(HostCommand::StartInstance { instance }).await;
    })
    .await
    .unwrap();
    assert!(world.see(instance).await.accepts_connections);
}
