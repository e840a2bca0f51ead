//! Waiting for a condition, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something. Panics when it takes longer than `within`.
pub async fn wait_for<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Looks until it is so. Panics when it takes longer than `within`.
pub async fn wait_until(what: &str, within: Duration, mut look: impl AsyncFnMut() -> bool) {
    wait_for(what, within, async || look().await.then_some(())).await;
}
