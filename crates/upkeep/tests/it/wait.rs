//! Waiting for a condition, with a deadline.

use std::time::Duration;

use upkeep_testkit::up::Running;
pub(crate) use upkeep_testkit::wait::{wait_for, wait_until};

/// Until a run that is watched says this of a step.
pub(crate) async fn wait_for_line(running: &mut Running, step: &str, said: &str) {
    const WITHIN: Duration = Duration::from_secs(60);
    let says = async || {
        let line = running.heard().await?;
        (line.starts_with(step) && line.contains(said)).then_some(())
    };
    wait_for(&format!("{step}: {said}"), WITHIN, says).await;
}
