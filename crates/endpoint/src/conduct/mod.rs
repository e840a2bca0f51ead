//! What is done to all sessions of a database at once: prepare, hold, release.
//!
//! One at a time, in order. Each session does its own part in its own task; here they are told, and
//! waited for. Nothing is decided here beyond the limits that came with the call.

mod hold;
mod prepare;
mod release;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::oneshot;

use crate::database::Card;

/// Answers in the order they come; a session that ended does not answer. Ends when nobody has
/// answered for `patience`.
async fn answers<T>(
    told: Vec<(Arc<Card>, oneshot::Receiver<T>)>,
    patience: Duration,
    mut each: impl FnMut(&Card, T),
) {
    let pending = told
        .into_iter()
        .map(|(card, answer)| async move { (card, answer.await) });
    let mut pending: FuturesUnordered<_> = pending.collect();
    while let Ok(Some((card, answer))) = tokio::time::timeout(patience, pending.next()).await {
        if let Ok(answer) = answer {
            each(&card, answer);
        }
    }
}

/// One more session with this reason.
fn count(sessions: &mut BTreeMap<String, u32>, reason: impl ToString) {
    *sessions.entry(reason.to_string()).or_default() += 1;
}
