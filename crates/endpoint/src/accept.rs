//! Takes connections, and keeps those that have not logged in within their bounds.

use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use upkeep_wire::message::ErrorFields;

use crate::cancel::CancelKeys;
use crate::config::Limits;
use crate::directory::Directory;
use crate::greet;

/// After this long without a byte a client's host is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);
/// When no more sockets can be had, others must end first.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// What every connection needs.
pub(crate) struct Reception {
    pub(crate) directory: Arc<Directory>,
    pub(crate) cancel_keys: Arc<CancelKeys>,
    pub(crate) limits: Limits,
    unauthenticated: Arc<Semaphore>,
}

impl Reception {
    pub(crate) fn new(directory: Arc<Directory>, limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            directory,
            cancel_keys: Arc::default(),
            unauthenticated: Arc::new(Semaphore::new(limits.unauthenticated)),
            limits,
        })
    }

    /// Serves until dropped; all connections end with it.
    pub(crate) async fn serve(self: Arc<Self>, clients: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = clients.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(Arc::clone(&self).receive(stream));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(OUT_OF_SOCKETS).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn receive(self: Arc<Self>, mut stream: TcpStream) {
        // Nagle and delayed acknowledgements together cost a small reply 20 ms and more.
        let prepared = stream.set_nodelay(true).and_then(|()| {
            SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
        });
        if prepared.is_err() {
            return;
        }
        let Ok(place) = Arc::clone(&self.unauthenticated).try_acquire_owned() else {
            let mut refusal = Vec::new();
            let message = "too many connections that have not logged in";
            ErrorFields::fatal("53300", message).put(&mut refusal);
            let _ = stream.write_all(&refusal).await;
            return;
        };
        greet::receive(stream, &self, place).await;
    }
}
