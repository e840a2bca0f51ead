//! A standby is pointed at another upstream while somebody reads on it, and follows it through its
//! promotion.

use upkeep_domain::host_command::{HostCommand, HostError, Outcome};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::BackupProgress;
use upkeep_domain::lsn::TimelineId;
use upkeep_domain::release::ReleaseName;

use crate::world::{SETTINGS, World, new_instance};

const FOLLOWER: &str = "follower";

/// Beside the copy that the world makes.
async fn follower_of(world: &World, source: InstanceId, release: ReleaseName) -> InstanceId {
    follower_set_like(world, source, release, None, FOLLOWER).await
}

async fn follower_set_like(
    world: &World,
    source: InstanceId,
    release: ReleaseName,
    set_like: Option<InstanceId>,
    slot: &str,
) -> InstanceId {
    let instance = new_instance();
    let copy = HostCommand::BaseBackup {
        instance,
        release,
        settings: SETTINGS,
        source,
        source_address: world.address(source),
        slot: slot.to_owned(),
        takes_over: false,
        set_like,
    };
    world.done(copy).await;
    world
        .wait_until(instance, "the copy is complete", |seen| {
            matches!(seen.backup, Some(BackupProgress::Done { .. }))
        })
        .await;
    world.done(HostCommand::StartInstance { instance }).await;
    world
        .wait_until(instance, "it streams", |seen| seen.streaming == Some(true))
        .await;
    instance
}

fn follow(world: &World, instance: InstanceId, upstream: InstanceId) -> HostCommand {
    HostCommand::Follow {
        instance,
        upstream,
        upstream_address: world.address(upstream),
        slot: FOLLOWER.to_owned(),
    }
}

async fn upstream_of(world: &World, instance: InstanceId) -> String {
    let sql = "SELECT sender_host FROM pg_stat_wal_receiver WHERE status = 'streaming'";
    let client = world.client(instance).await;
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_pointed_without_a_restart_and_goes_along_with_a_promotion() {
    let (world, release, old) = World::with_primary().await;
    let client = world.client(old).await;
    let said = "CREATE TABLE said (word text); INSERT INTO said VALUES ('before')";
    client.batch_execute(said).await.unwrap();
    let new = world.standby_of(old, release.clone()).await;
    let follower = follower_of(&world, old, release).await;
    let reader = world.client(follower).await;
    let server = world.server_pid(follower);

    let pointed = world.done(follow(&world, follower, new)).await;
    assert_eq!(pointed, Outcome::Follows { not_yet: None });
    assert_eq!(
        upstream_of(&world, follower).await,
        world.address(new).host()
    );
    // And back, as a rollback does; and there again.
    for upstream in [old, new] {
        let pointed = world.done(follow(&world, follower, upstream)).await;
        assert_eq!(pointed, Outcome::Follows { not_yet: None });
        let seen = upstream_of(&world, follower).await;
        assert_eq!(seen, world.address(upstream).host());
    }

    let marker = world.mark(old).await;
    assert!(world.received(new, marker).await);
    let freeze = HostCommand::Freeze {
        instance: old,
        marker,
        silence_ms: 30_000,
    };
    world.done(freeze).await;
    world.done(HostCommand::Disarm { instance: old }).await;
    world.done(HostCommand::Promote { instance: new }).await;
    let client = world.client(new).await;
    let after = "INSERT INTO said VALUES ('after')";
    client.batch_execute(after).await.unwrap();
    let marker = world.mark(new).await;
    let seen = world
        .wait_until(follower, "it follows the new history", |seen| {
            seen.timeline == Some(TimelineId(2)) && seen.replayed_lsn >= Some(marker)
        })
        .await;
    assert_eq!(seen.streaming, Some(true));
    assert_eq!(world.server_pid(follower), server, "not even a restart");
    let row = reader.query_one("SELECT count(*) FROM said", &[]).await;
    assert_eq!(row.unwrap().get::<_, i64>(0), 2, "the reader's own session");
    world
        .done(HostCommand::KillInstance { instance: old })
        .await;
}

/// Or it would stop replaying at the restart of the one that it follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_set_like_another_has_no_less_than_it_must_have() {
    let (world, release, leader) = World::with_primary().await;
    let follower = follower_of(&world, leader, release.clone()).await;
    let set = async |instance, settings: &[&str]| {
        let client = world.client(instance).await;
        for setting in settings {
            let sql = format!("ALTER SYSTEM SET {setting}");
            client.batch_execute(&sql).await.unwrap();
        }
    };
    set(
        follower,
        &["max_connections = 30", "max_worker_processes = 12"],
    )
    .await;
    set(leader, &["max_connections = 77", "work_mem = '5MB'"]).await;
    let replacement =
        follower_set_like(&world, leader, release, Some(follower), "replacement").await;
    let client = world.client(replacement).await;
    let sql = "SELECT current_setting('max_connections'), \
        current_setting('max_worker_processes'), current_setting('work_mem')";
    let row = client.query_one(sql, &[]).await.unwrap();
    let seen: [&str; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(seen, ["77", "12", "4MB"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_does_not_run_is_told_where_to_go_and_goes_there_at_its_next_start() {
    let (world, release, old) = World::with_primary().await;
    let new = world.standby_of(old, release.clone()).await;
    let follower = follower_of(&world, old, release).await;
    let stop = HostCommand::StopInstance { instance: follower };
    world.done(stop).await;
    let pointed = world.done(follow(&world, follower, new)).await;
    let Outcome::Follows { not_yet: Some(why) } = pointed else {
        panic!("it does not run: {pointed:?}");
    };
    assert!(why.contains("does not run"), "{why}");
    let start = HostCommand::StartInstance { instance: follower };
    world.done(start).await;
    world
        .wait_until(follower, "it streams", |seen| seen.streaming == Some(true))
        .await;
    assert_eq!(
        upstream_of(&world, follower).await,
        world.address(new).host()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_pointed_at_another_cluster_and_no_primary_at_anybody() {
    let (world, release, old) = World::with_primary().await;
    let follower = follower_of(&world, old, release.clone()).await;
    let stranger = new_instance();
    let create = HostCommand::CreateInstance {
        instance: stranger,
        release,
        settings: SETTINGS,
    };
    world.done(create).await;
    let start = HostCommand::StartInstance { instance: stranger };
    world.done(start).await;
    for (instance, upstream, word) in [
        (follower, stranger, "another cluster"),
        (stranger, old, "no standby"),
        (follower, new_instance(), "cannot be reached"),
    ] {
        let refused = world.send(follow(&world, instance, upstream)).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, HostError::Refused { .. }), "{refused:?}");
        assert!(refused.to_string().contains(word), "{refused}");
    }
    assert_eq!(
        upstream_of(&world, follower).await,
        world.address(old).host()
    );
}
