//! What is read from a server's files, against what the server's own programs say.

use upkeep_agent::command::Command;
use upkeep_agent::control_data::{ClusterState, ControlData};
use upkeep_agent::wal;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::lsn::Lsn;

use crate::world::{INSTALLED, World};

#[tokio::test]
async fn control_data_is_what_pg_controldata_prints() {
    let (world, _, instance) = World::with_primary().await;
    world.done(HostCommand::StopInstance { instance }).await;
    let data = world.data(instance);
    let ours = ControlData::read(&data).unwrap();
    let program = Command::new(format!("{INSTALLED}/bin/pg_controldata"));
    let printed = program.arg("-D").arg(&data).run().await.unwrap().stdout;
    let theirs = |name: &str| {
        let line = printed
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("{name}")).trim().to_owned()
    };
    assert_eq!(
        ours.system_identifier.to_string(),
        theirs("Database system identifier")
    );
    assert_eq!(
        (ours.state, theirs("Database cluster state").as_str()),
        (ClusterState::ShutDown, "shut down")
    );
    assert_eq!(
        ours.checkpoint.to_string(),
        theirs("Latest checkpoint location")
    );
    assert_eq!(
        ours.checkpoint_redo.to_string(),
        theirs("Latest checkpoint's REDO location")
    );
    assert_eq!(
        ours.checkpoint_timeline.to_string(),
        theirs("Latest checkpoint's TimeLineID")
    );
    assert_eq!(
        ours.minimum_recovery_end.to_string(),
        theirs("Minimum recovery ending location")
    );
    assert_eq!(
        ours.segment_bytes.to_string(),
        theirs("Bytes per WAL segment")
    );
}

#[tokio::test]
async fn only_the_ends_of_transactions_count_behind_a_marker() {
    let (world, _, instance) = World::with_primary().await;
    let client = world.client(instance).await;
    client
        .batch_execute("CREATE TABLE t (x text)")
        .await
        .unwrap();
    let data = world.data(instance);

    let marker = world.mark(instance).await;
    world
        .done(HostCommand::Checkpoint { instance, times: 2 })
        .await;
    let tail = wal::behind(&data, marker).unwrap();
    assert!(tail.records >= 2, "{tail:?}");
    assert_eq!(tail.transactions, 0, "a checkpoint ends no transaction");

    let marker = world.mark(instance).await;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES ('x'); ROLLBACK")
        .await
        .unwrap();
    client.batch_execute("CHECKPOINT").await.unwrap();
    assert_eq!(
        wal::behind(&data, marker).unwrap().transactions,
        0,
        "nor is a rollback one"
    );

    // Across segments, with records longer than a page, and behind a switch of segments.
    client
        .batch_execute("SELECT pg_switch_wal()")
        .await
        .unwrap();
    let big = "INSERT INTO t SELECT string_agg(md5((i * j)::text), '') FROM generate_series(1, 2000) i, generate_series(1, 400) j GROUP BY j";
    client
        .batch_execute("ALTER TABLE t ALTER x SET STORAGE EXTERNAL")
        .await
        .unwrap();
    client.batch_execute(big).await.unwrap();
    client
        .batch_execute("INSERT INTO t VALUES ('last')")
        .await
        .unwrap();
    let tail = wal::behind(&data, marker).unwrap();
    let end: String = client
        .query_one("SELECT pg_current_wal_flush_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(tail.transactions, 3, "{tail:?}");
    assert_eq!(tail.end, end.parse::<Lsn>().unwrap(), "{tail:?}");
    assert!(tail.end.0 > marker.0 + (20 << 20), "{tail:?}");
}

#[tokio::test]
async fn records_are_counted_as_pg_waldump_counts_them() {
    let (world, _, instance) = World::with_primary().await;
    let client = world.client(instance).await;
    let marker = world.mark(instance).await;
    for number in 0..50 {
        let sql = format!(
            "CREATE TABLE t{number} AS SELECT repeat('x', 5000) FROM generate_series(1, 20)"
        );
        client.batch_execute(&sql).await.unwrap();
    }
    let marker_end = world.mark(instance).await;
    let data = world.data(instance);
    let ours = wal::behind(&data, marker).unwrap();
    let program = Command::new(format!("{INSTALLED}/bin/pg_waldump"));
    let dumped = program
        .arg("-p")
        .arg(data.join("pg_wal"))
        .args([
            "-t",
            "1",
            "-s",
            &marker.to_string(),
            "-e",
            &marker_end.to_string(),
        ])
        .output_limit(64 << 20)
        .run()
        .await
        .unwrap()
        .stdout;
    let beyond = wal::behind(&data, marker_end).unwrap();
    let commits = dumped
        .lines()
        .filter(|line| line.contains("desc: COMMIT"))
        .count();
    assert_eq!(ours.records - beyond.records, dumped.lines().count() as u32);
    assert_eq!(ours.transactions - beyond.transactions, commits as u32);
}
