//! One endpoint: its listeners, and what runs behind them until it is told to stop.
//!
//! Stopping closes every session: PostgreSQL's clients reconnect. Handing sockets over to a newer
//! endpoint is left for later.

use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};

use crate::accept::Reception;
use crate::config::EndpointConfig;
use crate::control;
use crate::directory::Directory;
use crate::routes::RouteBookError;

/// A started endpoint: its routes are known, and nothing is accepted before [`Endpoint::run`].
pub struct Endpoint {
    directory: Arc<Directory>,
    reception: Arc<Reception>,
    clients: TcpListener,
    control: UnixListener,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("reading the routes that were known before")]
    Routes(#[from] RouteBookError),
}

/// A listener failed while the endpoint was running.
#[derive(Debug, thiserror::Error)]
#[error("serving the control socket")]
pub struct RunError(#[source] std::io::Error);

impl Endpoint {
    /// Takes its routes back from its state directory. Clients of a database whose hold was sealed
    /// wait until the endpoint is told where they go.
    pub async fn start(
        config: EndpointConfig,
        clients: TcpListener,
        control: UnixListener,
    ) -> Result<Self, StartError> {
        let directory = Directory::open(&config).await?;
        Ok(Self {
            reception: Reception::new(Arc::clone(&directory), config.limits),
            directory,
            clients,
            control,
        })
    }

    /// Serves until `shutdown` ends; sessions that are left are closed with it.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), RunError> {
        let router = control::router(Arc::clone(&self.directory));
        let served = axum::serve(self.control, router);
        tokio::select! {
            outcome = served.into_future() => outcome.map_err(RunError),
            () = self.reception.serve(self.clients) => Ok(()),
            () = shutdown => Ok(()),
        }
    }
}
