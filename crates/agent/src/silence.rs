//! What happens to a frozen instance when nobody speaks of it any more: it is killed. Only a
//! command that its fence lets in is speech; a query is not, because anybody may ask at any time.
//!
//! Never thawed: whoever froze it may have had another promoted since. How long silence may last
//! is on disk with the instance, so a new agent goes on watching; what passed while there was no
//! agent does not count, because nobody could have been heard.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::host::{Host, Instance, locked};
use crate::{marks, postmaster};

/// Begins, or begins anew.
pub(crate) fn watch(host: &Arc<Host>, instance: &Arc<Instance>) {
    instance.hear();
    // Weak: the agent after us watches on its own.
    let (host, watched) = (Arc::downgrade(host), instance.clone());
    let task = tokio::spawn(async move {
        while let Some(deadline) = deadline(&watched) {
            sleep_until(deadline).await;
            let Some(_host) = host.upgrade() else { return };
            let _lane = watched.lane.lock().await;
            if end_if_silent(&watched).await {
                return;
            }
        }
    });
    let before = locked(&instance.watcher).replace(task.abort_handle());
    if let Some(before) = before {
        before.abort();
    }
}

pub(crate) fn unwatch(instance: &Instance) {
    if let Some(watcher) = locked(&instance.watcher).take() {
        watcher.abort();
    }
}

/// None when it is not to be frozen any more. An unreadable mark counts as no word at all.
fn deadline(instance: &Instance) -> Option<Instant> {
    match marks::frozen(&instance.places) {
        Ok(frozen) => {
            let silence = Duration::from_millis(frozen?.silence_ms);
            Some(instance.heard() + silence)
        }
        Err(error) => {
            tracing::error!(instance = %instance.id, %error, "mark of a frozen instance not read");
            Some(Instant::now())
        }
    }
}

/// True when there is nothing left to watch.
async fn end_if_silent(instance: &Instance) -> bool {
    match deadline(instance) {
        None => return true,
        Some(deadline) if deadline > Instant::now() => return false,
        Some(_) => {}
    }
    tracing::warn!(instance = %instance.id, "frozen instance killed: nobody spoke of it");
    instance.close_sessions().await;
    if let Err(error) = postmaster::kill(&instance.places.data()).await {
        tracing::error!(instance = %instance.id, %error, "frozen instance not killed");
        instance.hear();
        return false;
    }
    true
}
