//! The connection to the state database: one, pipelined, made anew when it breaks.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::{Client, Config, NoTls};

use crate::Error;
use crate::statements::{Ask, Statements};

/// A handle on the state database. Cheap to share behind an `Arc`.
pub struct Store {
    config: Config,
    shared: Mutex<Option<Arc<Connection>>>,
    /// Transactions need a connection of their own: on a shared one they would mix.
    transactions: Mutex<Option<Connection>>,
}

impl Store {
    /// Connects and brings the tables up to date.
    ///
    /// # Errors
    /// When the database cannot be reached, or a newer program has been at it.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let store = Self {
            config,
            shared: Mutex::new(None),
            transactions: Mutex::new(None),
        };
        crate::migrate::migrate(&mut store.connect().await?.client).await?;
        Ok(store)
    }

    /// The shared connection, for single statements.
    pub(crate) async fn client(&self) -> Result<Arc<Connection>, Error> {
        let mut slot = self.shared.lock().await;
        if let Some(shared) = slot.as_ref().filter(|shared| !shared.client.is_closed()) {
            return Ok(Arc::clone(shared));
        }
        let shared = Arc::new(self.connect().await?);
        *slot = Some(Arc::clone(&shared));
        Ok(shared)
    }

    /// The connection for transactions, for as long as it is held.
    pub(crate) async fn transactions(&self) -> Result<Transactions<'_>, Error> {
        let mut slot = self.transactions.lock().await;
        if slot.as_ref().is_none_or(|own| own.client.is_closed()) {
            *slot = Some(self.connect().await?);
        }
        Ok(Transactions(slot))
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let (client, connection) = self.config.connect(NoTls).await.map_err(Error::Connect)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(%error, "lost the connection to the state database");
            }
        });
        // Nothing of a caller's environment may change what our statements mean.
        client
            .batch_execute("SET search_path = ''")
            .await
            .map_err(Error::Connect)?;
        Ok(Connection {
            client,
            statements: Statements::default(),
        })
    }
}

/// A connection of our own.
pub(crate) struct Connection {
    client: Client,
    statements: Statements,
}

impl Ask for Connection {
    type Client = Client;

    fn parts(&self) -> (&Client, &Statements) {
        (&self.client, &self.statements)
    }
}

/// Nobody else has the connection meanwhile.
pub(crate) struct Transactions<'a>(MutexGuard<'a, Option<Connection>>);

impl Transactions<'_> {
    /// Rolled back when it is dropped without a commit.
    pub(crate) async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let connection = self.0.as_mut().expect("`transactions` filled the slot");
        let begun = connection.client.transaction().await;
        Ok(Transaction {
            transaction: begun.map_err(Error::query("begin a transaction"))?,
            statements: &connection.statements,
        })
    }
}

pub(crate) struct Transaction<'a> {
    transaction: tokio_postgres::Transaction<'a>,
    statements: &'a Statements,
}

impl Transaction<'_> {
    pub(crate) async fn commit(self) -> Result<(), tokio_postgres::Error> {
        self.transaction.commit().await
    }
}

impl<'a> Ask for Transaction<'a> {
    type Client = tokio_postgres::Transaction<'a>;

    fn parts(&self) -> (&Self::Client, &Statements) {
        (&self.transaction, self.statements)
    }
}
