//! What a maintenance must leave behind: one primary that everybody reaches, and nothing else.

use std::fs;
use std::time::Duration;

use crate::wait::wait_until;
use crate::world::{World, connect};

/// Sweeps remove what was retired; they come every two seconds.
pub(crate) const SWEPT_WITHIN: Duration = Duration::from_secs(20);

/// Whatever the end was: nothing of it is left, and the database is on `release`.
pub(crate) async fn nothing_but_the_primary(world: &World, release: &str) {
    wait_until("books with a primary only", SWEPT_WITHIN, async || {
        world.books().await.roles().await == ["primary"]
    })
    .await;
    wait_until("files of a primary only", SWEPT_WITHIN, async || {
        data_folders(world) == 1 && world.instances().len() == 1
    })
    .await;
    assert_eq!(world.books().await.unfinished_workflows().await, 0);
    assert_eq!(world.release().await, release);
    nothing_of_replication(world).await;
    the_route_leads_to_the_primary(world).await;
}

/// Beside that of the private instance.
fn data_folders(world: &World) -> usize {
    let all = fs::read_dir(world.up.dir().join("agent/instances")).unwrap();
    all.count() - usize::from(world.up.state_url().is_none())
}

/// After a failover: the primary, and the standby that follows it through the one slot there is.
pub(crate) async fn primary_and_standby(world: &World, release: &str) {
    wait_until("books with primary and standby", SWEPT_WITHIN, async || {
        world.books().await.roles().await == ["primary", "standby"]
    })
    .await;
    let standby = world.standby().await;
    wait_until("files of both only", SWEPT_WITHIN, async || {
        data_folders(world) == 2 && world.instances().len() == 2
    })
    .await;
    assert_eq!(world.release().await, release);
    let primary = world.primary().await.expect("the primary runs");
    assert_ne!(primary.data_dir, standby.data_dir);
    let primary = connect(&world.direct(&primary)).await.unwrap();
    let sql = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_replication_slots WHERE active),
               (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_stat_replication)";
    let mut seen = (true, 0, 0, 0);
    wait_until("one slot, and it is used", SWEPT_WITHIN, async || {
        let row = primary.query_one(sql, &[]).await.unwrap();
        seen = (row.get(0), row.get(1), row.get(2), row.get(3));
        seen == (false, 1_i64, 1_i64, 1_i64)
    })
    .await;
    let standby = connect(&world.direct(&standby)).await.unwrap();
    let sql = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_replication_slots)";
    let row = standby.query_one(sql, &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, 0_i64), "of the standby");
    the_route_leads_to_the_primary(world).await;
}

async fn nothing_of_replication(world: &World) {
    let primary = world.primary().await.expect("the primary runs");
    let client = connect(&world.direct(&primary)).await.unwrap();
    let sql = "SELECT pg_is_in_recovery(), (SELECT count(*) FROM pg_replication_slots),
               (SELECT count(*) FROM pg_stat_replication)";
    let row = client.query_one(sql, &[]).await.unwrap();
    let seen: (bool, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(seen, (false, 0, 0), "in recovery, slots, standbys");
}

/// The server process behind a new connection works in the primary's data directory.
async fn the_route_leads_to_the_primary(world: &World) {
    let primary = world.primary().await.expect("the primary runs");
    let client = world.connect().await;
    let pid: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let works_in = fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
    assert_eq!(works_in, primary.data_dir.as_std_path());
}
