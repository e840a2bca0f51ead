//! What every client of one run of the load shares: where to connect, when to stop, what is late,
//! and the tally that each failed statement goes through.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::types::{FromSqlOwned, ToSql};

use super::session::Session;
use super::tally::Tally;
use super::trouble::Trouble;

/// How long a client waits before it tries again after trouble.
pub(crate) const RETRY_AFTER: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(crate) struct Run {
    server: Arc<tokio_postgres::Config>,
    deadline: Duration,
    number: i32,
    tally: Arc<Tally>,
    stop: watch::Receiver<bool>,
}

impl Run {
    pub(crate) fn new(
        server: tokio_postgres::Config,
        deadline: Duration,
        number: i32,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            server: Arc::new(server),
            deadline,
            number,
            tally: Arc::new(Tally::new()),
            stop,
        }
    }

    pub(crate) fn server(&self) -> &tokio_postgres::Config {
        &self.server
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Tells this run's rows, channels and locks from those of other runs on the same database.
    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn shared_tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the load is told to stop.
    pub(crate) async fn stopped(&self) {
        // An error means that the load itself is gone, which is a reason to stop too.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }

    /// Sleeps, but not beyond the stop.
    pub(crate) async fn pause(&self, time: Duration) {
        let _ = timeout(time, self.stopped()).await;
    }

    /// Waits for an answer no longer than the deadline of a statement. Counts nothing.
    pub(crate) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Trouble> {
        match timeout(self.deadline, answer).await {
            Ok(answer) => answer.map_err(Trouble::from),
            Err(_) => Err(Trouble::Overdue {
                deadline: self.deadline,
            }),
        }
    }

    /// Waits for the answer to a statement that must not fail, and counts it if it does.
    pub(crate) async fn ask<T>(
        &self,
        client: &str,
        tried: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Trouble> {
        self.within(answer)
            .await
            .inspect_err(|trouble| self.tally.statement_failed(client, tried, trouble))
    }

    /// As [`Run::ask`], for the one value that a query returns.
    pub(crate) async fn ask_for<T: FromSqlOwned>(
        &self,
        session: &Session,
        tried: &str,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<T, Trouble> {
        let answer = session.client.query_one_scalar(sql, parameters);
        self.ask(&session.name, tried, answer).await
    }

    /// Connects, again and again if need be; `None` when the load stops first.
    pub(crate) async fn connect(&self, name: &str) -> Option<Session> {
        while !self.stopping() {
            match Session::open(self, name, None).await {
                Ok(session) => return Some(session),
                Err(_counted) => self.pause(RETRY_AFTER).await,
            }
        }
        None
    }
}
