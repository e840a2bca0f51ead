//! A copy that is met half-way, however fast the disk is.

use std::time::Duration;

use upkeep_testkit::up::{Running, StandingStill};

use crate::wait::{wait_for, wait_for_line};
use crate::world::{World, connect};

/// About 300 MB: characters of that length are not compressed.
const BALLAST: &str = "CREATE TABLE ballast(filler char(1000));
    INSERT INTO ballast SELECT 'x' FROM generate_series(1, 270000)";
const WELL_UNDER_WAY: &str =
    "SELECT FROM pg_stat_progress_basebackup WHERE backup_streamed > 20000000";
const SOON: Duration = Duration::from_secs(30);

pub(super) async fn load(world: &World) {
    world.connect().await.batch_execute(BALLAST).await.unwrap();
}

/// Until the copy is half-way: who sends it then stands still, and whoever watches has been told.
pub(super) async fn half_copied(world: &World, running: &mut Running) -> StandingStill {
    let primary = world.primary().await.unwrap();
    let client = connect(&world.direct(&primary)).await.unwrap();
    let sender = wait_for("a copy under way", SOON, async || {
        let under_way = client.query_opt(WELL_UNDER_WAY, &[]).await.unwrap();
        under_way.map(|_| primary.stand_still("sending backup"))
    })
    .await;
    assert_eq!(sender.count(), 1, "{sender:?}");
    wait_for_line(running, "base_backup", "MB of about").await;
    sender
}
