//! Waiting for a condition, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use upkeep_testkit::up::Running;

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something. Fails when it takes longer than `within`.
pub(crate) async fn wait_for<T>(
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

pub(crate) async fn wait_until(what: &str, within: Duration, mut look: impl AsyncFnMut() -> bool) {
    wait_for(what, within, async || look().await.then_some(())).await;
}

/// Until a run that is watched says this of a step.
pub(crate) async fn wait_for_line(running: &mut Running, step: &str, said: &str) {
    const WITHIN: Duration = Duration::from_secs(60);
    let says = async || {
        let line = running.heard().await?;
        (line.starts_with(step) && line.contains(said)).then_some(())
    };
    wait_for(&format!("{step}: {said}"), WITHIN, says).await;
}
