//! Waits shorter than a millisecond, which is as fine as the runtime's own clock is.

use std::time::Duration;

use nix::poll::ppoll;
use nix::sys::time::TimeSpec;

/// How often the switch looks whether what it waits for has come.
pub(crate) const LOOK_EVERY: Duration = Duration::from_micros(200);

pub(crate) async fn pause(time: Duration) {
    let waited = tokio::task::spawn_blocking(move || pause_here(time)).await;
    if waited.is_err() {
        tokio::task::yield_now().await;
    }
}

/// Blocks this thread.
pub(crate) fn pause_here(time: Duration) {
    // Waits for nothing, until the time is over or a signal comes: both are fine.
    let _ = ppoll(&mut [], Some(TimeSpec::from_duration(time)), None);
}
