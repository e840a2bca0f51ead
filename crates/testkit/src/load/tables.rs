//! The tables of the load itself, and what must be known of the database before the load starts.

use super::error::Error;
use super::plain::Plain;

// Kept from run to run: the rows of each run carry its number.
const CREATE: &str = "
    CREATE SEQUENCE IF NOT EXISTS load_runs AS int;
    CREATE TABLE IF NOT EXISTS ledger(client int, id bigint, at timestamptz,
                                      PRIMARY KEY (client, id));
    CREATE TABLE IF NOT EXISTS load_copies(run int, batch int, line int,
                                           PRIMARY KEY (run, batch, line));";

const TAKE_STOCK: &str = "
    SELECT (SELECT count(*) FROM pgbench_branches), (SELECT count(*) FROM pgbench_history)";

/// What was there when the load began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stock {
    pub(crate) run: i32,
    pub(crate) scale: u32,
    pub(crate) history_rows: i64,
}

/// Makes the load's tables; asks for the TPC-B tables only if there will be writers.
pub(crate) async fn prepare(
    server: &tokio_postgres::Config,
    with_tpcb: bool,
) -> Result<Stock, Error> {
    let plain = Plain::connect_to(server).await?;
    let failed = |source| Error::Tables { source };
    plain.client.batch_execute(CREATE).await.map_err(failed)?;
    let number = "SELECT nextval('load_runs')::int, to_regclass('pgbench_accounts') IS NOT NULL";
    let row = plain.client.query_one(number, &[]).await.map_err(failed)?;
    let (run, filled): (i32, bool) = (row.get(0), row.get(1));
    let mut stock = Stock {
        run,
        scale: 0,
        history_rows: 0,
    };
    if with_tpcb {
        if !filled {
            return Err(Error::NotFilled);
        }
        let row = plain
            .client
            .query_one(TAKE_STOCK, &[])
            .await
            .map_err(failed)?;
        stock.scale = u32::try_from(row.get::<_, i64>(0))
            .unwrap_or(u32::MAX)
            .max(1);
        stock.history_rows = row.get(1);
    }
    plain.close().await;
    Ok(stock)
}
