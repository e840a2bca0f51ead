//! Knocking at one server: a real committed write every 20 ms, each with a short deadline.
//!
//! A write that is late is given up together with its connection, and noted as of unknown outcome:
//! a frozen server may still commit it when it thaws.

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};

use super::sightings::{Note, Write};
use super::{Habit, Server};
use crate::load::Stopwatch;

const EVERY: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_millis(300);

// The timeline tells two reigns of one server apart, and two servers that both believe in theirs.
const WRITE: &str = "
    INSERT INTO observer(at, server) VALUES (clock_timestamp(), $1)
    RETURNING ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int";

/// As good as a write, for whoever answers it: standbys answer with nothing.
const ASK: &str = "
    SELECT CASE WHEN pg_is_in_recovery() THEN 0
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END";

pub(super) async fn knock(
    server: Server,
    habit: Habit,
    stopwatch: Stopwatch,
    notes: mpsc::UnboundedSender<Note>,
    mut ended: oneshot::Receiver<()>,
) {
    let mut line = None;
    let mut knocks = 0_u32;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = &mut ended => return,
            _ = ticks.tick() => {}
        }
        let began = Instant::now();
        let open = match line.take() {
            Some(open) => Some(open),
            None => Line::open(&server).await,
        };
        knocks = knocks.wrapping_add(1);
        let outcome = match open {
            Some(open) if knocks.is_multiple_of(habit.commit_each) => {
                try_write(&server, open).await
            }
            Some(open) => ask(open).await,
            None => Outcome::Unreachable,
        };
        let note = match outcome {
            Outcome::Accepted { open, timeline } => {
                line = Some(open);
                Note::Accepted(Write {
                    server: server.name.clone(),
                    timeline,
                    began: stopwatch.moment(began),
                    ended: stopwatch.now(),
                })
            }
            Outcome::ReadOnly { open } => {
                line = Some(open);
                Note::ReadOnly
            }
            Outcome::Unknown => Note::Unknown,
            Outcome::Unreachable => Note::Unreachable,
        };
        if notes.send(note).is_err() {
            return;
        }
    }
}

enum Outcome {
    Accepted {
        open: Line,
        timeline: u32,
    },
    ReadOnly {
        open: Line,
    },
    /// The write was sent; what became of it is not known.
    Unknown,
    Unreachable,
}

async fn try_write(server: &Server, open: Line) -> Outcome {
    let parameters: [&(dyn ToSql + Sync); 1] = [&server.name];
    match timeout(DEADLINE, open.client.query_one(&open.write, &parameters)).await {
        Ok(Ok(row)) => {
            let timeline = row.try_get::<_, i32>(0).unwrap_or_default().cast_unsigned();
            Outcome::Accepted { open, timeline }
        }
        Ok(Err(error)) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
            Outcome::ReadOnly { open }
        }
        Ok(Err(error)) if error.as_db_error().is_some() => Outcome::Unreachable,
        Ok(Err(_)) | Err(_) => Outcome::Unknown,
    }
}

async fn ask(open: Line) -> Outcome {
    match timeout(DEADLINE, open.client.query_one(&open.ask, &[])).await {
        Ok(Ok(row)) => match row.try_get::<_, i32>(0).unwrap_or_default() {
            0 => Outcome::ReadOnly { open },
            timeline => Outcome::Accepted {
                open,
                timeline: timeline.cast_unsigned(),
            },
        },
        Ok(Err(_)) | Err(_) => Outcome::Unreachable,
    }
}

/// An open connection with its statements prepared.
struct Line {
    client: Client,
    write: tokio_postgres::Statement,
    ask: tokio_postgres::Statement,
    driver: JoinHandle<()>,
}

impl Line {
    async fn open(server: &Server) -> Option<Self> {
        let dial = async {
            let (client, connection) = server.connection.connect(NoTls).await.ok()?;
            let driver = tokio::spawn(async move {
                // Its end is the error of the next write.
                let _ = connection.await;
            });
            let prepared = tokio::try_join!(client.prepare(WRITE), client.prepare(ASK));
            match prepared {
                Ok((write, ask)) => Some(Self {
                    client,
                    write,
                    ask,
                    driver,
                }),
                Err(_) => {
                    driver.abort();
                    None
                }
            }
        };
        timeout(DEADLINE, dial).await.ok().flatten()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // A frozen server would keep the driver waiting for an answer for ever.
        self.driver.abort();
    }
}
