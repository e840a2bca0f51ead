//! A logical slot goes along with a changeover, where PostgreSQL can (17 and later): its consumer misses
//! nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_postgres::Client;
use upkeep_testkit::releases_source;

use crate::followers::Writer;
use crate::wait::{wait_for, wait_until};
use crate::world::{World, connect};

const SOON: Duration = Duration::from_secs(60);
const LOOK: &str = "SELECT lsn::text, data FROM pg_logical_slot_peek_binary_changes('cdc', NULL, NULL, \
    'proto_version', '1', 'publication_names', 'all_of_it')";

/// The number in an Insert message of a table whose first column is one.
///
/// Source: <https://www.postgresql.org/docs/17/protocol-logicalrep-message-formats.html>
fn inserted(message: &[u8]) -> Option<i64> {
    // 'I', relation, 'N', count of columns, 't', length, text.
    let (head, rest) = message.split_at_checked(13)?;
    let length = u32::from_be_bytes(*head.last_chunk()?) as usize;
    let is_insert = head[0] == b'I' && head[8] == b't';
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    is_insert.then(|| text.parse().ok()).flatten()
}

/// As a consumer that must not miss anything: what it has received is confirmed, and not before.
async fn consume(client: &Client, seen: &mut BTreeSet<i64>) -> Result<(), tokio_postgres::Error> {
    let rows = client.query(LOOK, &[]).await?;
    seen.extend(rows.iter().filter_map(|row| inserted(row.get(1))));
    if let Some(last) = rows.last() {
        let lsn: &str = last.get(0);
        let confirm = format!("SELECT pg_replication_slot_advance('cdc', '{lsn}')");
        client.batch_execute(&confirm).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_logical_slot_that_is_marked_for_failover_goes_along() {
    let sources = ["17.9", "17.10"].map(|version| {
        releases_source::find(version).expect("`cargo xtask test --faults` brings it")
    });
    let world = World::between(&sources).await;
    let superuser = async || {
        wait_for("the primary answers", SOON, async || {
            connect(&world.direct(&world.primary().await?)).await.ok()
        })
        .await
    };
    let set = "ALTER SYSTEM SET wal_level = logical";
    superuser().await.batch_execute(set).await.unwrap();
    let ending = world.restart().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");

    let primary = superuser().await;
    let writer = Writer::start(&world).await;
    wait_until("the ledger is there", SOON, async || {
        primary.query("SELECT FROM ledger", &[]).await.is_ok()
    })
    .await;
    let made = "CREATE PUBLICATION all_of_it FOR TABLE ledger";
    primary.batch_execute(made).await.unwrap();
    let make = "SELECT pg_create_logical_replication_slot('cdc', 'pgoutput', false, false, true)";
    primary.query_one(make, &[]).await.unwrap();
    let first = primary.query_one("SELECT max(id) FROM ledger", &[]).await;
    let first: i64 = first.unwrap().get(0);
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let consumer = tokio::spawn(async move {
        let mut seen = BTreeSet::new();
        // It goes past the endpoint, so it ends with the old primary.
        while !told.load(Ordering::Relaxed) && consume(&primary, &mut seen).await.is_ok() {
            tokio::task::yield_now().await;
        }
        seen
    });

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    let last = writer.end().await;
    stop.store(true, Ordering::Relaxed);
    let mut seen = consumer.await.unwrap();
    let before = seen.len();
    let primary = superuser().await;
    consume(&primary, &mut seen).await.unwrap();
    assert!(
        before > 0 && seen.len() > before,
        "{before}, {}",
        seen.len()
    );
    // Not every number between: a promotion lets a sequence jump.
    let written = "SELECT id FROM ledger WHERE id > $1 AND id <= $2";
    let written = primary.query(written, &[&first, &last]).await.unwrap();
    let written: BTreeSet<i64> = written.iter().map(|row| row.get(0)).collect();
    assert!(written.len() > seen.len() / 2);
    let missed: Vec<_> = written.difference(&seen).collect();
    assert!(missed.is_empty(), "{missed:?} of {first}..={last}");
}
