//! Waiting for a condition, with a deadline.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep};

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until it is as it should be. Panics with what was seen last when it takes longer than `within`.
pub async fn wait_to_see<T, E: Debug>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(
                Instant::now() < deadline,
                "not within {within:?}: {what}; seen: {seen:?}"
            ),
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Looks until there is something. Panics when it takes longer than `within`.
pub async fn wait_for<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    wait_to_see(what, within, async || look().await.ok_or("nothing")).await
}

/// Looks until it is so. Panics when it takes longer than `within`.
pub async fn wait_until(what: &str, within: Duration, mut look: impl AsyncFnMut() -> bool) {
    wait_for(what, within, async || look().await.then_some(())).await;
}
