//! Writers that run pgbench's TPC-B transaction, one statement at a time as pgbench does: half of
//! them with prepared statements, half in the simple protocol.

use tokio_postgres::Statement;
use tokio_postgres::types::ToSql;

use super::pace::Pace;
use super::pgbench::{ACCOUNTS, TELLERS};
use super::run::{RETRY_AFTER, Run};
use super::session::Session;
use super::tally::Writer;
use super::trouble::Trouble;

const PREPARED: [&str; 5] = [
    "UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2",
    "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
    "UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2",
    "UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = $2",
    "INSERT INTO pgbench_history(tid, bid, aid, delta, mtime)
     VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)",
];

/// One writer, from the start of the load to its stop.
pub(crate) async fn write(run: Run, number: u32, writer: Writer, scale: u32, rate: Option<f64>) {
    let name = format!("tpcb-{number}");
    let mut pace = Pace::new(rate);
    while let Some(session) = run.connect(&name).await {
        match write_on(
            &run,
            &session,
            number.is_multiple_of(2),
            writer,
            scale,
            &mut pace,
        )
        .await
        {
            Ok(()) => {
                run.tally().leave(writer);
                session.close().await;
                return;
            }
            Err(trouble) => session.bury(&trouble).await,
        }
    }
    run.tally().leave(writer);
}

/// Runs transactions until the load stops, or until the session is no more.
async fn write_on(
    run: &Run,
    session: &Session,
    prepared: bool,
    writer: Writer,
    scale: u32,
    pace: &mut Pace,
) -> Result<(), Trouble> {
    let voice = if prepared {
        Voice::prepare(run, session).await?
    } else {
        Voice::Simple
    };
    while !run.stopping() {
        pace.next().await;
        match transact(run, session, &voice, &Draw::new(scale)).await {
            Ok(()) => run.tally().acknowledged(writer),
            Err(trouble) if trouble.session_lives() => {
                let rollback = session.client.batch_execute("ROLLBACK");
                run.ask(&session.name, "roll back", rollback).await?;
                run.pause(RETRY_AFTER).await;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

async fn transact(run: &Run, session: &Session, voice: &Voice, draw: &Draw) -> Result<(), Trouble> {
    let plain = async |tried: &str, sql: &str| {
        run.ask(&session.name, tried, session.client.batch_execute(sql))
            .await
    };
    plain("begin", "BEGIN").await?;
    match voice {
        Voice::Simple => {
            for sql in draw.simple() {
                plain("TPC-B statement, simple protocol", &sql).await?;
            }
        }
        Voice::Prepared(statements) => draw.execute(run, session, statements).await?,
    }
    plain("commit", "END").await
}

/// How a writer speaks to the server.
enum Voice {
    Simple,
    Prepared(Vec<Statement>),
}

impl Voice {
    async fn prepare(run: &Run, session: &Session) -> Result<Self, Trouble> {
        let mut statements = Vec::with_capacity(PREPARED.len());
        for sql in PREPARED {
            let statement = session.client.prepare(sql);
            statements.push(
                run.ask(&session.name, "prepare a TPC-B statement", statement)
                    .await?,
            );
        }
        Ok(Self::Prepared(statements))
    }
}

/// The random choices of one transaction.
struct Draw {
    aid: i32,
    tid: i32,
    bid: i32,
    delta: i32,
}

impl Draw {
    fn new(scale: u32) -> Self {
        let upto = |each: u32| rand::random_range(1..=scale.saturating_mul(each)).cast_signed();
        Self {
            aid: upto(ACCOUNTS),
            tid: upto(TELLERS),
            bid: upto(1),
            delta: rand::random_range(-5000..=5000),
        }
    }

    fn simple(&self) -> [String; 5] {
        let Self {
            aid,
            tid,
            bid,
            delta,
        } = self;
        [
            format!("UPDATE pgbench_accounts SET abalance = abalance + {delta} WHERE aid = {aid}"),
            format!("SELECT abalance FROM pgbench_accounts WHERE aid = {aid}"),
            format!("UPDATE pgbench_tellers SET tbalance = tbalance + {delta} WHERE tid = {tid}"),
            format!("UPDATE pgbench_branches SET bbalance = bbalance + {delta} WHERE bid = {bid}"),
            format!(
                "INSERT INTO pgbench_history(tid, bid, aid, delta, mtime)
                 VALUES ({tid}, {bid}, {aid}, {delta}, CURRENT_TIMESTAMP)"
            ),
        ]
    }

    async fn execute(
        &self,
        run: &Run,
        session: &Session,
        statements: &[Statement],
    ) -> Result<(), Trouble> {
        let Self {
            aid,
            tid,
            bid,
            delta,
        } = self;
        let parameters: [&[&(dyn ToSql + Sync)]; 5] = [
            &[delta, aid],
            &[aid],
            &[delta, tid],
            &[delta, bid],
            &[tid, bid, aid, delta],
        ];
        for (statement, parameters) in statements.iter().zip(parameters) {
            let answer = session.client.execute(statement, parameters);
            run.ask(&session.name, "TPC-B statement, prepared", answer)
                .await?;
        }
        Ok(())
    }
}
