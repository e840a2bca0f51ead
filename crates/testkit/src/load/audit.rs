//! Compares, on a fresh connection after the load, what clients were told with what is stored.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::Client;

use super::error::Error;
use super::ledger::Journal;
use super::plain::Plain;
use super::tables::Stock;

/// Summing up a large database takes its time, but not for ever.
const READ_WITHIN: Duration = Duration::from_secs(300);
const TRY_AGAIN: Duration = Duration::from_millis(100);

const SUMS: &str = "
    SELECT (SELECT coalesce(sum(abalance), 0)::bigint FROM pgbench_accounts),
           (SELECT coalesce(sum(tbalance), 0)::bigint FROM pgbench_tellers),
           (SELECT coalesce(sum(bbalance), 0)::bigint FROM pgbench_branches),
           (SELECT coalesce(sum(delta), 0)::bigint FROM pgbench_history),
           (SELECT count(*) FROM pgbench_history)";

/// What the ledgers say, seen from both sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct LedgerAudit {
    pub(crate) acknowledged: u64,
    pub(crate) found: u64,
    pub(crate) lost: u64,
    pub(crate) unknown: u64,
    pub(crate) unknown_found: u64,
    /// Stored although the client was told no, or never asked.
    pub(crate) unexpected: u64,
}

/// What the TPC-B tables say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TpcbAudit {
    pub(crate) sums_agree: bool,
    pub(crate) history_rows: i64,
}

pub(crate) struct Audit {
    pub(crate) ledger: LedgerAudit,
    pub(crate) tpcb: Option<TpcbAudit>,
}

/// `connect_within` is how long the database may take to accept the auditor.
pub(crate) async fn audit(
    server: &tokio_postgres::Config,
    connect_within: Duration,
    journals: &[Journal],
    stock: Option<&Stock>,
) -> Result<Audit, Error> {
    let deadline = Instant::now() + connect_within;
    let plain = connect(server, deadline).await?;
    let read = timeout(READ_WITHIN, read(&plain.client, journals, stock)).await;
    let audit = read
        .map_err(|_| Error::Late { limit: READ_WITHIN })?
        .map_err(|source| Error::Audit { source });
    plain.close().await;
    audit
}

async fn connect(server: &tokio_postgres::Config, deadline: Instant) -> Result<Plain, Error> {
    loop {
        match timeout_at(deadline, Plain::connect_to(server)).await {
            Ok(Err(_)) if Instant::now() < deadline => tokio::time::sleep(TRY_AGAIN).await,
            Ok(outcome) => return outcome,
            Err(_) => return Err(Error::Unanswered),
        }
    }
}

async fn read(
    client: &Client,
    journals: &[Journal],
    stock: Option<&Stock>,
) -> Result<Audit, tokio_postgres::Error> {
    let mut ledger = LedgerAudit::default();
    for journal in journals {
        let sql = "SELECT id FROM ledger WHERE client = $1";
        let rows = client.query(sql, &[&journal.client]).await?;
        let stored = rows
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        ledger.compare(journal, &stored);
    }
    let tpcb = match stock {
        Some(_) => Some(read_tpcb(client).await?),
        None => None,
    };
    Ok(Audit { ledger, tpcb })
}

/// One statement, so one snapshot: a transaction is seen whole or not at all.
async fn read_tpcb(client: &Client) -> Result<TpcbAudit, tokio_postgres::Error> {
    let row = client.query_one(SUMS, &[]).await?;
    let accounts: i64 = row.try_get(0)?;
    let mut sums_agree = true;
    for column in 1..=3 {
        sums_agree &= row.try_get::<_, i64>(column)? == accounts;
    }
    Ok(TpcbAudit {
        sums_agree,
        history_rows: row.try_get(4)?,
    })
}

impl LedgerAudit {
    fn compare(&mut self, journal: &Journal, stored: &HashSet<i64>) {
        let found = |ids: &[i64]| ids.iter().filter(|id| stored.contains(id)).count() as u64;
        let (acknowledged, unknown) = (&journal.acknowledged, &journal.unknown);
        let (acknowledged_found, unknown_found) = (found(acknowledged), found(unknown));
        self.acknowledged += acknowledged.len() as u64;
        self.found += acknowledged_found;
        self.lost += acknowledged.len() as u64 - acknowledged_found;
        self.unknown += unknown.len() as u64;
        self.unknown_found += unknown_found;
        self.unexpected += stored.len() as u64 - acknowledged_found - unknown_found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledged_row_that_is_not_stored_is_lost_and_a_refused_one_that_is_unexpected() {
        let journal = Journal {
            client: 1,
            acknowledged: vec![1, 2, 5],
            unknown: vec![3, 4],
        };
        let mut audit = LedgerAudit::default();
        audit.compare(&journal, &HashSet::from([1, 3, 5, 6]));
        let expected = LedgerAudit {
            acknowledged: 3,
            found: 2,
            lost: 1,
            unknown: 2,
            unknown_found: 1,
            unexpected: 1,
        };
        assert_eq!(audit, expected);
    }
}
