//! A connection for the load's own errands before and after it runs: setting up, auditing.
//! What happens to it is an `Error`, never a count.

use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::error::Error;

pub(crate) struct Plain {
    pub(crate) client: Client,
    driver: JoinHandle<()>,
}

impl Plain {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        Self::connect_to(&parse(url)?).await
    }

    pub(crate) async fn connect_to(server: &tokio_postgres::Config) -> Result<Self, Error> {
        let connected = server.connect(NoTls).await;
        let (client, connection) = connected.map_err(|source| Error::Connect { source })?;
        let driver = tokio::spawn(async move {
            // Its end reaches the client as the error of the next statement.
            let _ = connection.await;
        });
        Ok(Self { client, driver })
    }

    pub(crate) async fn close(self) {
        drop(self.client);
        let _ = self.driver.await;
    }
}

pub(crate) fn parse(url: &str) -> Result<tokio_postgres::Config, Error> {
    url.parse().map_err(|source| Error::Url { source })
}
