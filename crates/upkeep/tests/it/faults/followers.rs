//! Followers when something goes wrong with them or their leader, and their own maintenance.

use std::fs;
use std::time::Duration;

use upkeep_testkit::up::RunningInstance;

use crate::direct::superuser_of;
use crate::followers::{Follower, Writer, readers_of, slots_are_of, unharmed};
use crate::wait::{wait_for_line, wait_until};
use crate::world::{APP, World, connect, other};

const SOON: Duration = Duration::from_secs(30);
/// More than a standby may be behind when clients are held.
const FILL: &str = "CREATE TABLE filled AS SELECT repeat('x', 900) FROM generate_series(1, 20000)";

async fn change_over(world: &World, follower: &Follower, onto: &str) {
    let run = ["data:maintenances:run", &follower.var, "-a", APP];
    let how = ["--confirm", APP, "--method", "changeover"];
    let run = [&run[..], &how, &["--release", onto, "--wait"]].concat();
    let ended = world.up.begin(&run).unwrap().ended().await.unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

async fn setting(world: &World, instance: &RunningInstance, name: &str) -> String {
    let direct = connect(&world.direct(instance)).await.unwrap();
    let shown = direct.query_one(&format!("SHOW {name}"), &[]).await;
    shown.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_followers_come_along_with_a_failover_and_back_when_it_is_undone() {
    let world = World::that_fails_over().await;
    let (one, two) = (Follower::of(&world).await, Follower::of(&world).await);
    let writer = Writer::start(&world).await;
    one.follows(&world).await;
    two.follows(&world).await;
    let readers = readers_of(&[&one, &two]).await;
    let before = world.primary().await.unwrap();

    // Somebody holds a transaction open for longer than a hold waits.
    let blocker = world.connect().await;
    let running = world.begin_and_stop_at("hold", "before_effect").await;
    blocker
        .batch_execute("BEGIN; SELECT txid_current()")
        .await
        .unwrap();
    world.up.look_again().unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert_eq!(world.primary().await.unwrap(), before);
    blocker.batch_execute("ROLLBACK").await.unwrap();
    one.follows(&world).await;
    two.follows(&world).await;

    // They are told to stream from a standby that has less than they have.
    let standby = world.standby().await;
    let mut running = world
        .begin_and_stop_at("point_followers", "before_effect")
        .await;
    let receiver = standby.stand_still("walreceiver");
    assert_eq!(receiver.count(), 1, "{receiver:?}");
    blocker.batch_execute(FILL).await.unwrap();
    one.follows(&world).await;
    two.follows(&world).await;
    world.up.look_again().unwrap();
    wait_for_line(&mut running, "check_again", "catch up").await;
    receiver.go_on();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_ne!(world.primary().await.unwrap().data_dir, before.data_dir);
    one.follows(&world).await;
    two.follows(&world).await;
    writer.end().await;
    unharmed(readers).await;
    // The hidden standby has a slot too.
    let primary = connect(&world.direct(&world.primary().await.unwrap())).await;
    let primary = primary.unwrap();
    wait_until("slots of standby and followers", SOON, async || {
        let sql = "SELECT count(*) FILTER (WHERE active), count(*) FROM pg_replication_slots";
        let row = primary.query_one(sql, &[]).await.unwrap();
        let (active, all): (i64, i64) = (row.get(0), row.get(1));
        (active, all) == (3, 3)
    })
    .await;
    let standby = connect(&world.direct(&world.standby().await))
        .await
        .unwrap();
    let kept = standby.query("SELECT FROM pg_replication_slots", &[]).await;
    assert!(
        kept.unwrap().is_empty(),
        "the old primary keeps WAL for nobody"
    );
}

/// F37: one that is down is replaced before the maintenance has succeeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_follower_that_cannot_follow_is_replaced_and_the_other_is_not() {
    let world = World::new().await;
    let (healthy, broken) = (Follower::of(&world).await, Follower::of(&world).await);
    healthy.follows(&world).await;
    broken.follows(&world).await;
    let (kept, lost) = (
        healthy.instance(&world).await,
        broken.instance(&world).await,
    );
    let running = world
        .begin_and_stop_at("point_followers", "before_effect")
        .await;
    world.up.crash_instance(lost.pid).unwrap();
    fs::remove_file(lost.data_dir.join("global/pg_control")).unwrap();
    world.up.look_again().unwrap();

    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(healthy.instance(&world).await, kept);
    assert_ne!(broken.instance(&world).await.data_dir, lost.data_dir);
    assert!(!lost.data_dir.exists(), "nothing is left of the lost one");
    healthy.follows(&world).await;
    broken.follows(&world).await;
    slots_are_of(&world, &[&healthy, &broken]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_changed_over_under_its_readers_and_then_let_go() {
    let world = World::new().await;
    let follower = Follower::of(&world).await;
    let writer = Writer::start(&world).await;
    follower.follows(&world).await;
    let readers = readers_of(&[&follower]).await;
    let before = follower.instance(&world).await;
    // Each has settings of its own, and a slow report may read longer where nobody writes.
    let leader = world.primary().await.unwrap();
    let set = "ALTER SYSTEM SET statement_timeout =";
    superuser_of(&world, &leader, &format!("{set} '5min'")).await;
    superuser_of(&world, &before, &format!("{set} '1h'")).await;

    let onto = other("15-a");
    change_over(&world, &follower, onto).await;
    unharmed(readers).await;
    assert_ne!(follower.instance(&world).await.data_dir, before.data_dir);
    assert!(!before.data_dir.exists(), "its files are gone");
    assert_eq!(world.books().await.release(&follower.name).await, onto);
    follower.follows(&world).await;
    slots_are_of(&world, &[&follower]).await;
    let after = follower.instance(&world).await;
    assert_eq!(setting(&world, &after, "statement_timeout").await, "1h");

    let session = follower.connect().await;
    let refused = session.batch_execute("CREATE TABLE own (n int)").await;
    let code = refused
        .unwrap_err()
        .code()
        .map(|code| code.code().to_owned());
    assert_eq!(code.as_deref(), Some("25006"), "read only");
    let unfollow = ["pg:unfollow", &follower.var, "-a", APP, "--confirm", APP];
    world.up.run(&unfollow).await.unwrap();
    // The very session that could only read.
    let own = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; CREATE TABLE own (n int)";
    session.batch_execute(own).await.unwrap();
    slots_are_of(&world, &[]).await;
    assert_eq!(world.info_of(&follower.name, "Following").await, None);
    writer.end().await;

    // Each goes its own way from here, also through a maintenance.
    change_over(&world, &follower, "15-b").await;
    let shown = follower
        .connect()
        .await
        .query_one("SELECT count(*) FROM own", &[])
        .await;
    assert_eq!(shown.unwrap().get::<_, i64>(0), 0);
}
