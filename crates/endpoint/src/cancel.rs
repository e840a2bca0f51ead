//! Cancel keys: clients hold keys made here, servers hold their own. Whoever shows a key is led to the
//! session it was given to, wherever that session is by now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use upkeep_domain::route::Target;
use upkeep_wire::message::BackendKey;
use upkeep_wire::startup::cancel_request;

use crate::link::Link;
use crate::order::Order;
use crate::secret;

/// Every key that a client holds. Sessions of different servers may share a process id.
#[derive(Default)]
pub(crate) struct CancelKeys {
    by_pid: Mutex<HashMap<u32, Vec<Held>>>,
}

struct Held {
    secret: Vec<u8>,
    mailbox: mpsc::UnboundedSender<Order>,
}

/// A key given to a client; worthless once dropped.
pub(crate) struct Ticket {
    keys: Arc<CancelKeys>,
    pub(crate) key: BackendKey,
}

impl CancelKeys {
    fn by_pid(&self) -> MutexGuard<'_, HashMap<u32, Vec<Held>>> {
        self.by_pid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn give(
        self: &Arc<Self>,
        pid: u32,
        secret_len: usize,
        mailbox: mpsc::UnboundedSender<Order>,
    ) -> Ticket {
        let key = BackendKey {
            pid,
            secret: secret::of_len(secret_len),
        };
        let held = Held {
            secret: key.secret.clone(),
            mailbox,
        };
        self.by_pid().entry(pid).or_default().push(held);
        Ticket {
            keys: Arc::clone(self),
            key,
        }
    }

    fn find(&self, key: &BackendKey) -> Option<mpsc::UnboundedSender<Order>> {
        let by_pid = self.by_pid();
        let held = by_pid.get(&key.pid)?;
        let fits = |held: &&Held| bool::from(held.secret.ct_eq(&key.secret));
        held.iter().find(fits).map(|held| held.mailbox.clone())
    }

    /// Cancels what the session of this key runs; returns when its server has taken the request. An
    /// unknown key is nobody's: nothing happens, and nothing is said, as with PostgreSQL.
    pub(crate) async fn cancel(&self, key: &BackendKey, limit: Duration) {
        let Some(mailbox) = self.find(key) else {
            return;
        };
        let (done, answer) = oneshot::channel();
        if mailbox.send(Order::Cancel { done }).is_err() {
            return;
        }
        if let Ok(Some((target, key))) = answer.await {
            let forwarded = tokio::time::timeout(limit, forward(&target, &key)).await;
            if !matches!(forwarded, Ok(Ok(()))) {
                tracing::info!(instance = %target.instance, "a cancel request did not get through");
            }
        }
    }
}

async fn forward(target: &Target, key: &BackendKey) -> std::io::Result<()> {
    let mut link = Link::connect(&target.address).await?;
    link.write_all(&cancel_request(key)).await?;
    // The server closes when it has sent the signal.
    link.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut by_pid = self.keys.by_pid();
        if let Some(held) = by_pid.get_mut(&self.key.pid) {
            held.retain(|held| held.secret != self.key.secret);
            if held.is_empty() {
                by_pid.remove(&self.key.pid);
            }
        }
    }
}
