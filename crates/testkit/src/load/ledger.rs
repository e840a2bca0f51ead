//! Clients that write down, on their own side, every commit the database acknowledged.
//!
//! Each row is one autocommitted insert with an id that is never used twice: a client that does not
//! know the outcome of a write notes the id apart and goes on with the next, as a careful application
//! would. Whether the database kept its word is for [`super::audit`] to say.

use std::io::Write as _;
use std::sync::Arc;

use camino::Utf8Path;

use super::error::Error;
use super::pace::Pace;
use super::run::{RETRY_AFTER, Run};
use super::session::Session;
use super::tally::Writer;
use super::trouble::Trouble;

const INSERT: &str = "INSERT INTO ledger(client, id, at) VALUES ($1, $2, clock_timestamp())";

/// The numbers of a run's clients follow its own number times this.
pub(crate) const NUMBERS_PER_RUN: i32 = 1000;

/// What one client knows of its writes.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) client: i32,
    pub(crate) acknowledged: Vec<i64>,
    /// Sent, but the answer never came: stored or not, both are right.
    pub(crate) unknown: Vec<i64>,
}

/// The file that acknowledged writes are appended to, one `client id` a line.
#[derive(Debug, Clone)]
pub(crate) struct Paper(Arc<std::fs::File>);

impl Paper {
    pub(crate) fn open(path: &Utf8Path) -> Result<Self, Error> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let file = file.map_err(|source| Error::Journal {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self(Arc::new(file)))
    }

    fn note(&self, client: i32, id: i64) -> std::io::Result<()> {
        // One write of one short line to an append-only file: lines of clients do not mix.
        (&*self.0).write_all(format!("{client} {id}\n").as_bytes())
    }
}

/// A ledger client before it starts.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) number: i32,
    pub(crate) writer: Writer,
    pub(crate) asynchronous: bool,
    pub(crate) rate: f64,
    pub(crate) paper: Option<Paper>,
}

impl Client {
    /// Writes from the start of the load to its stop.
    pub(crate) async fn write(self, run: Run) -> Journal {
        let journal = Journal {
            client: self.number,
            acknowledged: vec![],
            unknown: vec![],
        };
        let mut hand = Hand {
            next: 1,
            journal,
            pace: Pace::new(Some(self.rate)),
        };
        while let Some(session) = run.connect(&self.name).await {
            match self.write_on(&run, &session, &mut hand).await {
                Ok(()) => {
                    run.tally().leave(self.writer);
                    session.close().await;
                    break;
                }
                Err(trouble) => session.bury(&trouble).await,
            }
            run.pause(RETRY_AFTER).await;
        }
        run.tally().leave(self.writer);
        hand.journal
    }

    /// Writes until the load stops, or until the session is no more.
    async fn write_on(&self, run: &Run, session: &Session, hand: &mut Hand) -> Result<(), Trouble> {
        if self.asynchronous {
            let set = session.client.batch_execute("SET synchronous_commit = off");
            run.ask(&self.name, "set synchronous_commit", set).await?;
        }
        let insert = session.client.prepare(INSERT);
        let insert = run
            .ask(&self.name, "prepare the ledger insert", insert)
            .await?;
        while !run.stopping() {
            hand.pace.next().await;
            let id = hand.next;
            hand.next += 1;
            let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&self.number, &id];
            let answer = session.client.execute(&insert, &parameters);
            match run.ask(&self.name, "insert into the ledger", answer).await {
                Ok(_) => self.acknowledged(run, hand, id),
                Err(trouble) => {
                    if !trouble.surely_without_effect() {
                        hand.journal.unknown.push(id);
                    }
                    if !trouble.session_lives() {
                        return Err(trouble);
                    }
                    run.pause(RETRY_AFTER).await;
                }
            }
        }
        Ok(())
    }

    fn acknowledged(&self, run: &Run, hand: &mut Hand, id: i64) {
        run.tally().acknowledged(self.writer);
        hand.journal.acknowledged.push(id);
        if let Some(Err(error)) = self.paper.as_ref().map(|paper| paper.note(self.number, id)) {
            let message = format!("append to the file of acknowledged writes: {error}");
            let trouble = Trouble::Misread { message };
            run.tally()
                .statement_failed(&self.name, "note an acknowledged write", &trouble);
        }
    }
}

/// Where a client is in its writing; outlives its sessions.
struct Hand {
    next: i64,
    journal: Journal,
    pace: Pace,
}
