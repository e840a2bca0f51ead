//! Sessions that read on a follower without a pause: each has a setting of its own, a prepared
//! statement, and remembers what it was shown.

use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_postgres::Statement;

use super::error::Error;
use super::plain::Plain;

/// How far the ledger of the load has come.
pub const OF_THE_LEDGER: &str = "SELECT coalesce(max(id), 0)::int8 FROM ledger \
    WHERE client = (SELECT max(client) FROM ledger)";

const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const WORK_MEM: &str = "7MB";

/// Readers that are at it. Dropping them ends them at once.
pub struct Readers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<Read>,
}

/// What readers felt, all together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Read {
    pub sessions: u32,
    pub answers: u64,
    pub statements_failed: u64,
    pub connections_dropped: u64,
    /// Answers that showed less than an answer before, to the same session.
    pub shown_the_past: u64,
    /// Between two answers to one session.
    pub longest_gap_ms: f64,
    /// What went wrong, in words.
    pub failures: Vec<String>,
}

impl Read {
    /// In which ways the promise was broken, in words.
    pub fn broken(&self) -> Vec<String> {
        let counts = [
            (self.statements_failed, "statements of readers failed"),
            (self.connections_dropped, "readers were dropped"),
            (self.shown_the_past, "answers showed the past"),
        ];
        let broken = counts.into_iter().filter(|(count, _)| *count > 0);
        let mut broken: Vec<_> = broken.map(|(n, what)| format!("{n} {what}")).collect();
        if self.answers == 0 {
            broken.push("no reader was answered".to_owned());
        }
        broken.extend(self.failures.iter().cloned());
        broken
    }

    fn and(mut self, other: Self) -> Self {
        self.sessions += other.sessions;
        self.answers += other.answers;
        self.statements_failed += other.statements_failed;
        self.connections_dropped += other.connections_dropped;
        self.shown_the_past += other.shown_the_past;
        self.longest_gap_ms = self.longest_gap_ms.max(other.longest_gap_ms);
        self.failures.extend(other.failures);
        self
    }
}

impl Readers {
    /// `shown` is what they ask for: one number that never shrinks.
    pub async fn start(urls: &[&str], sessions_each: u32, shown: &str) -> Result<Self, Error> {
        let (stop, told) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for url in urls {
            for _ in 0..sessions_each {
                let session = Session::open(url, shown).await?;
                let told = told.clone();
                tasks.spawn(async move { session.read_until(&told).await });
            }
        }
        Ok(Self { stop, tasks })
    }

    pub async fn stop(self) -> Read {
        self.stop.send_replace(true);
        let all = self.tasks.join_all().await;
        all.into_iter().fold(Read::default(), Read::and)
    }
}

struct Session {
    plain: Plain,
    statement: Statement,
}

impl Session {
    async fn open(url: &str, shown: &str) -> Result<Self, Error> {
        let plain = Plain::connect(url).await?;
        let failed = |source| Error::Tables { source };
        let set = format!("SET work_mem = '{WORK_MEM}'");
        plain.client.batch_execute(&set).await.map_err(failed)?;
        let sql = format!(
            "SELECT ({shown}), pg_is_in_recovery() AND current_setting('work_mem') = '{WORK_MEM}'"
        );
        let statement = plain.client.prepare(&sql).await.map_err(failed)?;
        Ok(Self { plain, statement })
    }

    async fn read_until(self, told: &watch::Receiver<bool>) -> Read {
        let mut read = Read {
            sessions: 1,
            ..Read::default()
        };
        let (mut shown, mut last) = (i64::MIN, Instant::now());
        while !*told.borrow() {
            let asked = self.plain.client.query_one(&self.statement, &[]);
            let row = match timeout(ANSWER_WITHIN, asked).await {
                Ok(Ok(row)) => row,
                Ok(Err(error)) => return self.failed(read, &error.to_string()),
                Err(_) => return self.failed(read, "no answer within 30 s"),
            };
            let gap = last.elapsed().as_secs_f64() * 1e3;
            (read.longest_gap_ms, last) = (read.longest_gap_ms.max(gap), Instant::now());
            read.answers += 1;
            let (now, is_itself): (i64, bool) = (row.get(0), row.get(1));
            read.shown_the_past += u64::from(now < shown);
            shown = shown.max(now);
            if !is_itself {
                let lost = "a reader lost its setting, or reads on a primary";
                read.failures.push(lost.to_owned());
                return read;
            }
        }
        self.plain.close().await;
        read
    }

    fn failed(&self, mut read: Read, why: &str) -> Read {
        read.statements_failed += 1;
        read.connections_dropped += u64::from(self.plain.client.is_closed());
        read.failures.push(format!("a reader: {why}"));
        read
    }
}
