//! Whose commands count: those of the newest controller, and of its latest visit.

use upkeep_domain::host_command::{Fence, HostCommand, HostError};

use super::Bench;
use super::stage::{Kind, PRIMARY, Stage};

pub async fn who_speaks_last(bench: &dyn Bench) {
    let mut stage = Stage::new(bench);
    let instance = stage.primary().await;
    let start = || HostCommand::StartInstance { instance };
    let stop = || HostCommand::StopInstance { instance };
    // What was not sent in time is not done afterwards.
    let late = stage.envelope(stop());
    stage.expects(start(), Kind::Started).await;
    let refused = stage.send(&late).await;
    assert!(
        matches!(refused, Err(HostError::Refused { .. })),
        "{refused:?}"
    );
    stage.finds(instance, PRIMARY).await;

    let mut newer = Stage::new(bench);
    let mut takes_over = newer.envelope(start());
    takes_over.fence = Fence(takes_over.fence.0 + 1);
    newer.send(&takes_over).await.expect("the newest is heard");
    let stale = stage.envelope(stop());
    let stale = stage.send(&stale).await;
    assert!(matches!(stale, Err(HostError::Stale { .. })), "{stale:?}");
    stage.finds(instance, PRIMARY).await;
}
