//! Control sessions: our own connections to an instance, kept open so that a switch logs in nowhere.
//!
//! Every one is checked when it is opened: a path can be taken over by another server.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, Client, Config, NoTls, SimpleQueryMessage};
use upkeep_domain::instance::{Address, Identity};

use crate::configuration::SUPERUSER;
use crate::identity::{self, TOKEN_FILE};

const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const APPLICATION: &str = "upkeep";
/// `search_path` is empty so that nobody's functions are called for ours.
const OPTIONS: &str = "-c search_path= -c synchronous_commit=on -c statement_timeout=0 -c lock_timeout=0 -c client_min_messages=error -c log_min_duration_statement=-1";

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("connect to the server in `{host}`")]
    Connect {
        host: String,
        source: tokio_postgres::Error,
    },
    #[error(transparent)]
    Identity(identity::Error),
    #[error("another server answers in `{host}`: it is {found}, not {expected}")]
    SomebodyElse {
        host: String,
        expected: String,
        found: String,
    },
    #[error("ask the server")]
    Sql(#[source] tokio_postgres::Error),
    #[error("the server did not answer within {0:?}")]
    Deadline(Duration),
    #[error("the server gave an answer without what was asked for")]
    Empty,
}

impl Error {
    /// The server is not there yet, or says that it is not ready.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connect { source, .. } | Self::Sql(source) => source
                .code()
                .is_none_or(|code| *code == SqlState::CANNOT_CONNECT_NOW),
            Self::Deadline(_) => true,
            Self::Identity(_) | Self::SomebodyElse { .. } | Self::Empty => false,
        }
    }
}

pub(crate) type Row = Vec<Option<String>>;

pub(crate) struct Session {
    client: Client,
    cancel: CancelToken,
    connection: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Session {
    /// To one of our own instances.
    pub(crate) async fn open(address: &Address, expected: &Identity) -> Result<Self, Error> {
        Self::open_in(address, expected, "postgres").await
    }

    /// The same, in another database than `postgres`.
    pub(crate) async fn open_in(
        address: &Address,
        expected: &Identity,
        dbname: &str,
    ) -> Result<Self, Error> {
        let session = Self::open_unchecked(address, dbname).await?;
        let sql = format!(
            "SELECT system_identifier, pg_catalog.pg_read_file('{TOKEN_FILE}') FROM pg_catalog.pg_control_system()"
        );
        let row = session.row(&sql, CONNECT_WITHIN).await?;
        let found = (text(&row, 0)?, text(&row, 1)?.trim());
        let system_identifier = expected.system_identifier.to_string();
        if found == (system_identifier.as_str(), expected.token.as_str()) {
            return Ok(session);
        }
        Err(Error::SomebodyElse {
            host: address.host().to_owned(),
            expected: format!("{system_identifier}/{}", expected.token),
            found: format!("{}/{}", found.0, found.1),
        })
    }

    /// To a server of which only the address is known.
    pub(crate) async fn open_unchecked(address: &Address, dbname: &str) -> Result<Self, Error> {
        let mut config = Config::new();
        config
            .host(address.host())
            .port(address.port())
            .user(SUPERUSER)
            .dbname(dbname)
            .application_name(APPLICATION)
            .options(OPTIONS)
            .connect_timeout(CONNECT_WITHIN);
        let connected = timeout(CONNECT_WITHIN, config.connect(NoTls)).await;
        let connected = connected.map_err(|_| Error::Deadline(CONNECT_WITHIN))?;
        let (client, connection) = connected.map_err(|source| Error::Connect {
            host: address.host().to_owned(),
            source,
        })?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "control session ended");
            }
        });
        let cancel = client.cancel_token();
        Ok(Self {
            client,
            cancel,
            connection: connection.abort_handle(),
        })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// After the deadline the statement is cancelled; what it did until then is unknown.
    pub(crate) async fn rows(&self, sql: &str, deadline: Duration) -> Result<Vec<Row>, Error> {
        match timeout(deadline, self.client.simple_query(sql)).await {
            Ok(Ok(messages)) => Ok(messages.into_iter().filter_map(values).collect()),
            Ok(Err(error)) => Err(Error::Sql(error)),
            Err(_) => {
                // Nothing may wait for a commit that a standby does not confirm, not even this.
                let _ = timeout(CONNECT_WITHIN, self.cancel.cancel_query(NoTls)).await;
                Err(Error::Deadline(deadline))
            }
        }
    }

    pub(crate) async fn row(&self, sql: &str, deadline: Duration) -> Result<Row, Error> {
        self.rows(sql, deadline).await?.pop().ok_or(Error::Empty)
    }

    pub(crate) async fn run(&self, sql: &str, deadline: Duration) -> Result<(), Error> {
        self.rows(sql, deadline).await.map(drop)
    }
}

fn values(message: SimpleQueryMessage) -> Option<Row> {
    match message {
        SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|column| row.get(column).map(str::to_owned))
                .collect(),
        ),
        _ => None,
    }
}

/// A column that is never null.
pub(crate) fn text(row: &Row, column: usize) -> Result<&str, Error> {
    row.get(column)
        .and_then(Option::as_deref)
        .ok_or(Error::Empty)
}

/// A column as a value, `None` for null.
pub(crate) fn value<T: std::str::FromStr>(row: &Row, column: usize) -> Option<T> {
    row.get(column)?.as_deref()?.parse().ok()
}

/// A column as a truth value.
pub(crate) fn truth(row: &Row, column: usize) -> Option<bool> {
    row.get(column)?.as_deref().map(|text| text == "t")
}
