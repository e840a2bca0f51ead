//! The connection to the state database: one, pipelined, made anew when it breaks.

use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio_postgres::{Client, Config, NoTls, Statement, Transaction};

use crate::Error;

/// A handle on the state database. Cheap to share behind an `Arc`.
pub struct Store {
    config: Config,
    shared: Mutex<Option<Arc<Shared>>>,
    /// Transactions need a connection of their own: on a shared one they would mix.
    transactions: Mutex<Option<Client>>,
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
        crate::migrate::migrate(&mut store.connect().await?).await?;
        Ok(store)
    }

    /// The shared connection, for single statements.
    pub(crate) async fn client(&self) -> Result<Arc<Shared>, Error> {
        let mut slot = self.shared.lock().await;
        if let Some(shared) = slot.as_ref().filter(|shared| !shared.is_closed()) {
            return Ok(Arc::clone(shared));
        }
        let shared = Arc::new(Shared {
            client: self.connect().await?,
            commit: OnceCell::new(),
        });
        *slot = Some(Arc::clone(&shared));
        Ok(shared)
    }

    /// The connection for transactions, for as long as it is held.
    pub(crate) async fn transactions(&self) -> Result<Transactions<'_>, Error> {
        let mut slot = self.transactions.lock().await;
        if slot.as_ref().is_none_or(Client::is_closed) {
            *slot = Some(self.connect().await?);
        }
        Ok(Transactions(slot))
    }

    async fn connect(&self) -> Result<Client, Error> {
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
        Ok(client)
    }
}

/// Nobody else has the connection meanwhile.
pub(crate) struct Transactions<'a>(MutexGuard<'a, Option<Client>>);

impl Transactions<'_> {
    /// Rolled back when it is dropped without a commit.
    pub(crate) async fn begin(&mut self) -> Result<Transaction<'_>, Error> {
        let client = self.0.as_mut().expect("`transactions` filled the slot");
        let begun = client.transaction().await;
        begun.map_err(Error::query("begin a transaction"))
    }
}

/// The shared connection and the one statement that is worth preparing: clients may be held while
/// it runs.
pub(crate) struct Shared {
    client: Client,
    commit: OnceCell<Statement>,
}

impl Shared {
    pub(crate) async fn commit_statement(&self, sql: &str) -> Result<&Statement, Error> {
        self.commit
            .get_or_try_init(|| self.client.prepare(sql))
            .await
            .map_err(Error::query("prepare the commit of steps"))
    }
}

impl std::ops::Deref for Shared {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
