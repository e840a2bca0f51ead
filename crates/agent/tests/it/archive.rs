//! The archive has no gap where one server took over from another.

use std::collections::BTreeSet;
use std::path::Path;

use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::id::InstanceId;

use crate::world::{World, wait_until};

const SILENCE_MS: u64 = 30_000;
/// As the documentation has it: what is there is never overwritten.
const COPY: &str = "test ! -f {folder}/%f && cp %p {folder}/%f";

async fn say(world: &World, instance: InstanceId, statements: &[&str]) {
    let client = world.client(instance).await;
    for statement in statements {
        client.batch_execute(statement).await.unwrap();
    }
}

async fn archive_into(world: &World, instance: InstanceId, command: &str) {
    let set = format!("ALTER SYSTEM SET archive_command = '{command}'");
    say(world, instance, &[&set, "SELECT pg_reload_conf()"]).await;
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_fenced_primary_had_not_archived_is_archived_by_its_successor() {
    let (world, release, old) = World::with_primary().await;
    // Nothing is archived before the switch: the command fails at once, as when the archive is full.
    let on = "ALTER SYSTEM SET archive_mode = on";
    say(&world, old, &[on]).await;
    archive_into(&world, old, "false").await;
    world.done(HostCommand::StopBriefly { instance: old }).await;
    let again = HostCommand::StartAgain {
        instance: old,
        release: release.clone(),
    };
    world.done(again).await;
    let new = world.standby_of(old, release).await;
    let filled = [
        "CREATE TABLE said (what text)",
        "SELECT pg_switch_wal()",
        "INSERT INTO said VALUES ('one')",
        "SELECT pg_switch_wal()",
        "INSERT INTO said VALUES ('two')",
    ];
    say(&world, old, &filled).await;

    let hand_over = HostCommand::HandOverArchive {
        instance: old,
        to: new,
    };
    let refused = world.send(hand_over.clone()).await.unwrap_err();
    assert!(
        refused.to_string().contains("archives by itself"),
        "{refused}"
    );

    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    let freeze = HostCommand::Freeze {
        instance: old,
        marker,
        silence_ms: SILENCE_MS,
    };
    world.done(freeze).await;
    world.done(HostCommand::Disarm { instance: old }).await;
    world.done(HostCommand::Promote { instance: new }).await;
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
    let status = world.data(old).join("pg_wal/archive_status");
    let waiting = names_in(&status);
    let waiting: BTreeSet<&str> = waiting
        .iter()
        .filter_map(|n| n.strip_suffix(".ready"))
        .collect();
    assert!(waiting.len() >= 2, "{waiting:?}");

    let handed_over = world.done(hand_over.clone()).await;
    let files = waiting.len() as u32;
    assert_eq!(handed_over, Outcome::HandedOver { files });
    assert_eq!(
        world.done(hand_over).await,
        Outcome::HandedOver { files: 0 },
        "twice is once"
    );

    let folder = tempfile::tempdir_in(world.data(new)).unwrap();
    let path = folder.path().to_str().unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(world.data(new)).unwrap());
    std::os::unix::fs::chown(folder.path(), Some(owner), None).unwrap();
    archive_into(&world, new, &COPY.replace("{folder}", path)).await;
    say(&world, new, &["SELECT pg_switch_wal()"]).await;
    wait_until("all of the old primary's log is archived", async || {
        let there = names_in(folder.path());
        waiting.iter().all(|name| there.contains(*name))
    })
    .await;
    let partial = |name: &String| name.ends_with(".partial");
    wait_until("so is the end of its timeline", async || {
        names_in(folder.path()).iter().any(partial)
    })
    .await;
}
