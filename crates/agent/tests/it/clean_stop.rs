//! The other fence: a primary that is shut down instead of frozen.

use std::time::Duration;

use upkeep_domain::host_command::{HostCommand, HostError, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{FenceMeans, ProcessState};
use upkeep_domain::lsn::Lsn;

use crate::world::{World, state, wait_for};

fn stop(instance: InstanceId, within: Duration) -> HostCommand {
    let within_ms = within.as_millis() as u64;
    HostCommand::StopPrimary {
        instance,
        within_ms,
    }
}

async fn checkpoint_of_stopped(world: &World, instance: InstanceId) -> Lsn {
    match world.done(stop(instance, Duration::from_secs(8))).await {
        Outcome::ShutDown { checkpoint } => checkpoint,
        other => panic!("{other:?}"),
    }
}

async fn writes(world: &World, instance: InstanceId) {
    let client = world.client(instance).await;
    let write = "CREATE TABLE IF NOT EXISTS ledger (n int); INSERT INTO ledger VALUES (1)";
    client.batch_execute(write).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_may_not_freeze_says_so_and_stops_its_primary_instead() {
    let (world, release, old) = World::with_primary_fenced_by(FenceMeans::CleanStop).await;
    let new = world.standby_of(old, release).await;
    writes(&world, old).await;
    let marker = world.mark(old).await;
    let freeze = HostCommand::Freeze {
        instance: old,
        marker,
        silence_ms: 30_000,
    };
    let refused = world.done(freeze).await;
    assert!(matches!(&refused, Outcome::NotFrozen { .. }), "{refused:?}");
    let seen = world.see(old).await;
    assert_eq!(
        (seen.process, seen.fence),
        (ProcessState::Running, FenceMeans::CleanStop)
    );
    writes(&world, old).await;

    let checkpoint = checkpoint_of_stopped(&world, old).await;
    assert!(checkpoint > marker, "{checkpoint} is not behind {marker}");
    assert!(world.received(new, checkpoint.past()).await);
    assert_eq!(
        checkpoint_of_stopped(&world, old).await,
        checkpoint,
        "twice is once"
    );
    wait_for("nobody is left", || world.processes(old).is_empty()).await;

    // The way back: it goes on as the primary it was.
    world.done(HostCommand::Thaw { instance: old }).await;
    assert_eq!(world.see(old).await.in_recovery, Some(false));
    writes(&world, old).await;

    // The way there.
    world
        .wait_until(new, "it streams again", |seen| seen.streaming == Some(true))
        .await;
    let checkpoint = checkpoint_of_stopped(&world, old).await;
    assert!(world.received(new, checkpoint.past()).await);
    world.done(HostCommand::Disarm { instance: old }).await;
    world.done(HostCommand::Promote { instance: new }).await;
    let rows = world.client(new).await;
    let rows = rows
        .query_one("SELECT count(*) FROM ledger", &[])
        .await
        .unwrap();
    assert_eq!(rows.get::<_, i64>(0), 3);
}

/// Until the last record has arrived, or the time is over: then it is no fence, and can be taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_waits_for_a_standby_is_told_as_unfinished() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release).await;
    writes(&world, old).await;
    let standing_still = world.processes(new);
    signal(&standing_still, nix::sys::signal::Signal::SIGSTOP);
    wait_for("the standby stands still", || {
        standing_still.iter().all(|&pid| state(pid) == Some('T'))
    })
    .await;
    let unfinished = world.send(stop(old, Duration::from_millis(300))).await;
    assert!(
        matches!(&unfinished, Err(HostError::Failed { sentence }) if sentence.contains("still there")),
        "{unfinished:?}"
    );
    // Nobody waits for its end to take it back.
    world.done(HostCommand::Thaw { instance: old }).await;
    writes(&world, old).await;
    let rows = world.client(old).await;
    let rows = rows.query_one("SELECT count(*) FROM ledger", &[]).await;
    assert_eq!(rows.unwrap().get::<_, i64>(0), 2);
    signal(&standing_still, nix::sys::signal::Signal::SIGCONT);
}

/// Files to archive may take for ever; nothing of that can write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archiver_that_hangs_does_not_hold_the_fence_up() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release).await;
    let hang = "ALTER SYSTEM SET archive_mode = on; ALTER SYSTEM SET archive_command = 'sleep 600'";
    let client = world.client(old).await;
    for statement in hang.split("; ") {
        client.batch_execute(statement).await.unwrap();
    }
    drop(client);
    world
        .done(HostCommand::StopInstance { instance: old })
        .await;
    world
        .done(HostCommand::StartInstance { instance: old })
        .await;
    writes(&world, old).await;
    world
        .wait_until(new, "it streams again", |seen| seen.streaming == Some(true))
        .await;
    world
        .client(old)
        .await
        .batch_execute("SELECT pg_switch_wal()")
        .await
        .unwrap();

    let checkpoint = checkpoint_of_stopped(&world, old).await;
    assert!(!world.processes(old).is_empty(), "its archiver is at it");
    assert!(world.received(new, checkpoint.past()).await);
    world.done(HostCommand::Disarm { instance: old }).await;
    world.done(HostCommand::Promote { instance: new }).await;
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
    // The archive command itself is the user's program, and is left to end.
    let seen = world.see(old).await;
    assert_eq!((seen.process, seen.disarmed), (ProcessState::Stopped, true));
}

fn signal(pids: &[i32], signal: nix::sys::signal::Signal) {
    for &pid in pids {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }
}
