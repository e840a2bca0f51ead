//! The load that a demo, a benchmark and the crash tests put on a database through one connection
//! string, with the driver that applications use, and the verdict on what it felt.
//!
//! It knows nothing of Upkeep: it is an application like any other, only more attentive. It sees one
//! address; the servers behind it are looked at by [`crate::observer`].

mod audit;
mod error;
mod gaps;
mod ledger;
mod pace;
pub mod pgbench;
mod plain;
pub mod readers;
mod run;
mod session;
mod special;
mod stopwatch;
mod tables;
mod tally;
mod tpcb;
mod trouble;
mod verdict;

use std::time::Duration;

use camino::Utf8PathBuf;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use error::Error;
pub use gaps::Gap;
pub(crate) use plain::Plain;
pub use special::SpecialSession;
pub use stopwatch::{Moment, Stopwatch};
pub use tally::{Failure, Snapshot};
pub use verdict::{Notifications, Report, Tpcb};

use ledger::{Journal, Paper};
use run::Run;
use special::Findings;
use tables::Stock;
use tally::Writer;
use trouble::Trouble;

/// How much of what. The defaults suit a laptop.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Sessions that run TPC-B transactions; the tables must be filled (see [`pgbench::fill`]).
    pub writers: u32,
    /// Transactions per second of each writer; `None` is as fast as it can.
    pub writer_rate: Option<f64>,
    /// Fewer than a thousand.
    pub ledger_clients: u32,
    /// Whether the last ledger client, if there is more than one, runs with `synchronous_commit =
    /// off`. A load whose server is killed goes without: PostgreSQL itself may then lose what it
    /// [acknowledged last](https://www.postgresql.org/docs/current/wal-async-commit.html).
    pub asynchronous: bool,
    /// Writes per second of each ledger client.
    pub ledger_rate: f64,
    /// Acknowledged writes are appended here too, one `client id` a line.
    pub ledger_file: Option<Utf8PathBuf>,
    /// Whether the sessions with special state take part.
    pub special: bool,
    /// Sessions that idle until the end; they belong to the special ones.
    pub idle_sessions: u32,
    /// A statement or a login without answer for this long has failed.
    pub statement_deadline: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            writers: 4,
            writer_rate: None,
            ledger_clients: 2,
            asynchronous: true,
            ledger_rate: 1000.0,
            ledger_file: None,
            special: true,
            idle_sessions: 50,
            statement_deadline: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// Sessions that are open while all goes well.
    pub fn sessions(&self) -> u32 {
        let special = if self.special {
            special::SESSIONS + self.idle_sessions
        } else {
            0
        };
        self.writers + self.ledger_clients + special
    }
}

/// A load that is running. Dropping it ends it at once, without a verdict.
pub struct Load {
    run: Run,
    stop: watch::Sender<bool>,
    tasks: JoinSet<Outcome>,
    tpcb: Option<(Writer, Stock)>,
    sessions: u32,
}

/// What a client of the load brings home.
enum Outcome {
    Writer,
    Ledger(Journal),
    Special(Findings),
}

impl Load {
    /// Makes the load's tables and starts its clients; they connect while this returns.
    pub async fn start(config: Config, url: &str) -> Result<Self, Error> {
        let server = plain::parse(url)?;
        let paper = config.ledger_file.as_deref().map(Paper::open).transpose()?;
        let stock = tables::prepare(&server, config.writers > 0).await?;
        let (stop, stopped) = watch::channel(false);
        let run = Run::new(server, config.statement_deadline, stock.run, stopped);
        let tpcb = (config.writers > 0).then(|| (run.tally().join_tpcb(), stock));
        let tasks = start_clients(&config, &run, tpcb, paper.as_ref());
        Ok(Self {
            run,
            stop,
            tasks,
            tpcb,
            sessions: config.sessions(),
        })
    }

    /// Whether every client is connected now.
    pub fn all_connected(&self) -> bool {
        self.snapshot().sessions_open == u64::from(self.sessions)
    }

    /// Measures write gaps from now on: the crowd of logins at the start of a load makes gaps that
    /// nothing else is to blame for. Counts go on.
    pub fn measure_gaps_from_now(&self) {
        self.run.tally().begin_gaps_anew();
    }

    /// The counters of this moment.
    pub fn snapshot(&self) -> Snapshot {
        self.run.tally().snapshot()
    }

    /// Lets every client finish its statement and leave, then compares what they were told with
    /// what is stored.
    pub async fn stop(mut self) -> Report {
        self.stop.send_replace(true);
        let wanted_ms = self.run.tally().stopwatch.elapsed().as_millis() as u64;
        let mut journals = Vec::new();
        let mut report = Report {
            elapsed_ms: wanted_ms,
            ..Report::default()
        };
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Outcome::Writer) => {}
                Ok(Outcome::Ledger(journal)) => journals.push(journal),
                Ok(Outcome::Special(findings)) => {
                    report.special.extend(findings.sessions);
                    report.notifications = report.notifications.or(findings.heard);
                }
                Err(error) => {
                    let trouble = Trouble::Misread {
                        message: error.to_string(),
                    };
                    self.run
                        .tally()
                        .statement_failed("a client of the load", "run", &trouble);
                }
            }
        }
        report.special.sort_by(|a, b| a.name.cmp(&b.name));
        self.audit(&journals, &mut report).await;
        self.count(&mut report);
        report
    }

    async fn audit(&self, journals: &[Journal], report: &mut Report) {
        let stock = self.tpcb.as_ref().map(|(_, stock)| stock);
        let audit = audit::audit(self.run.server(), self.run.deadline(), journals, stock).await;
        let audit = match audit {
            Ok(audit) => audit,
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                report.audit_failed = Some(format!("{error}{}", cause.unwrap_or_default()));
                return;
            }
        };
        report.commits_found = audit.ledger.found;
        report.commits_lost = audit.ledger.lost;
        report.commits_unknown = audit.ledger.unknown;
        report.commits_unknown_found = audit.ledger.unknown_found;
        report.commits_unexpected = audit.ledger.unexpected;
        report.tpcb = stock.zip(audit.tpcb).map(|(stock, audit)| {
            let transactions = self.snapshot().transactions;
            let stored = audit
                .history_rows
                .saturating_sub(stock.history_rows)
                .max(0)
                .unsigned_abs();
            Tpcb {
                transactions,
                tps: per_second(transactions, report.elapsed_ms),
                longest_gap_ms: self.run.tally().tpcb_longest_gap_ms(),
                lost: transactions.saturating_sub(stored),
                sums_agree: audit.sums_agree,
            }
        });
    }

    fn count(&self, report: &mut Report) {
        let counted = self.snapshot();
        report.statements_failed = counted.statements_failed;
        report.connections_dropped = counted.connections_dropped;
        report.connections_refused = counted.connections_refused;
        report.commits_acknowledged = counted.commits_acknowledged;
        report.longest_write_gap_ms = counted.longest_write_gap_ms;
        report.failures = counted.failures;
        report.gaps = self.run.tally().ledger_gaps();
    }
}

fn start_clients(
    config: &Config,
    run: &Run,
    tpcb: Option<(Writer, Stock)>,
    paper: Option<&Paper>,
) -> JoinSet<Outcome> {
    let mut tasks = JoinSet::new();
    if let Some((writer, stock)) = tpcb {
        for number in 1..=config.writers {
            let write = tpcb::write(run.clone(), number, writer, stock.scale, config.writer_rate);
            tasks.spawn(async move {
                write.await;
                Outcome::Writer
            });
        }
    }
    for client in ledger_clients(config, run, paper) {
        let write = client.write(run.clone());
        tasks.spawn(async move { Outcome::Ledger(write.await) });
    }
    if config.special {
        for special in special::all(run, config.idle_sessions) {
            tasks.spawn(async move { Outcome::Special(special.await) });
        }
    }
    tasks
}

fn ledger_clients(
    config: &Config,
    run: &Run,
    paper: Option<&Paper>,
) -> impl Iterator<Item = ledger::Client> {
    let count = config.ledger_clients;
    (1..=count).map(move |place| {
        let asynchronous = config.asynchronous && count > 1 && place == count;
        let name = if asynchronous {
            format!("ledger-{place} (asynchronous)")
        } else {
            format!("ledger-{place}")
        };
        ledger::Client {
            writer: run.tally().join_ledger(&name),
            name,
            number: run.number() * ledger::NUMBERS_PER_RUN + place.cast_signed(),
            asynchronous,
            rate: config.ledger_rate,
            paper: paper.cloned(),
        }
    })
}

/// To a tenth: more is noise, and does not survive JSON.
fn per_second(count: u64, ms: u64) -> f64 {
    (count as f64 * 10_000.0 / ms.max(1) as f64).round() / 10.0
}
