//! The TPC-B tables of pgbench, made and filled over the wire.
//!
//! Not every release in a store brings the `pgbench` program, and the load needs only its tables.
//! One unit of scale is 100 000 accounts, about 15 MB.

use std::io::{Cursor, Write as _};

use futures_util::SinkExt as _;
use tokio_postgres::{Client, CopyInSink};

use super::error::Error;
use super::plain::Plain;

pub(crate) const ACCOUNTS: u32 = 100_000;
pub(crate) const TELLERS: u32 = 10;
const ROWS_PER_CHUNK: u32 = 2_000;

const CREATE: &str = "
    DROP TABLE IF EXISTS pgbench_accounts, pgbench_tellers, pgbench_branches, pgbench_history;
    CREATE TABLE pgbench_history(tid int, bid int, aid int, delta int, mtime timestamp,
                                 filler char(22));
    CREATE TABLE pgbench_tellers(tid int NOT NULL, bid int, tbalance int, filler char(84))
        WITH (fillfactor = 100);
    CREATE TABLE pgbench_accounts(aid int NOT NULL, bid int, abalance int, filler char(84))
        WITH (fillfactor = 100);
    CREATE TABLE pgbench_branches(bid int NOT NULL, bbalance int, filler char(88))
        WITH (fillfactor = 100);";

const KEYS: &str = "
    ALTER TABLE pgbench_branches ADD PRIMARY KEY (bid);
    ALTER TABLE pgbench_tellers ADD PRIMARY KEY (tid);
    ALTER TABLE pgbench_accounts ADD PRIMARY KEY (aid);";

const ANALYZE: &str = "
    VACUUM ANALYZE pgbench_branches;
    VACUUM ANALYZE pgbench_tellers;
    VACUUM ANALYZE pgbench_accounts;";

/// How far the filling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub rows: u64,
    pub rows_total: u64,
}

/// Makes and fills the tables; what was in them before is gone.
pub async fn fill(url: &str, scale: u32, mut progress: impl FnMut(Progress)) -> Result<(), Error> {
    let scale = scale.max(1);
    let plain = Plain::connect(url).await?;
    let failed = |source| Error::Fill { scale, source };
    let client = &plain.client;
    // One transaction: nobody sees half-filled tables, and FREEZE saves the vacuum its work.
    client.batch_execute("BEGIN").await.map_err(failed)?;
    client.batch_execute(CREATE).await.map_err(failed)?;
    let branch = |chunk: &mut Vec<u8>, bid| writeln!(chunk, "{bid}\t0\t");
    copy(client, "pgbench_branches", scale, branch, |_| {})
        .await
        .map_err(failed)?;
    let teller = |chunk: &mut Vec<u8>, tid| writeln!(chunk, "{tid}\t{}\t0\t", bid(tid, TELLERS));
    copy(client, "pgbench_tellers", scale * TELLERS, teller, |_| {})
        .await
        .map_err(failed)?;
    let account = |chunk: &mut Vec<u8>, aid| writeln!(chunk, "{aid}\t{}\t0\t", bid(aid, ACCOUNTS));
    let rows_total = u64::from(scale * ACCOUNTS);
    let report = |rows| {
        progress(Progress {
            rows: u64::from(rows),
            rows_total,
        });
    };
    copy(
        client,
        "pgbench_accounts",
        scale * ACCOUNTS,
        account,
        report,
    )
    .await
    .map_err(failed)?;
    client.batch_execute(KEYS).await.map_err(failed)?;
    client.batch_execute("COMMIT").await.map_err(failed)?;
    for statement in ANALYZE.split_inclusive(';') {
        client.batch_execute(statement).await.map_err(failed)?;
    }
    plain.close().await;
    Ok(())
}

/// Size of the whole database behind `url`.
pub async fn size_bytes(url: &str) -> Result<u64, Error> {
    let plain = Plain::connect(url).await?;
    let size: i64 = plain
        .client
        .query_one("SELECT pg_database_size(current_database())", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|source| Error::Measure { source })?;
    plain.close().await;
    Ok(size.unsigned_abs())
}

/// The branch that teller or account `id` belongs to, `each` of them to a branch.
fn bid(id: u32, each: u32) -> u32 {
    (id - 1) / each + 1
}

async fn copy(
    client: &Client,
    table: &str,
    rows: u32,
    line: impl Fn(&mut Vec<u8>, u32) -> std::io::Result<()>,
    mut sent: impl FnMut(u32),
) -> Result<(), tokio_postgres::Error> {
    let statement = format!("COPY {table} FROM STDIN WITH (FREEZE ON)");
    let sink: CopyInSink<Cursor<Vec<u8>>> = client.copy_in(&statement).await?;
    futures_util::pin_mut!(sink);
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + ROWS_PER_CHUNK - 1);
        let mut chunk = Vec::new();
        for id in first..=last {
            line(&mut chunk, id).expect("writing to memory cannot fail");
        }
        sink.send(Cursor::new(chunk)).await?;
        sent(last);
        first = last + 1;
    }
    sink.finish().await?;
    Ok(())
}
