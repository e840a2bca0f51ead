//! Readers of a follower on their way onto another one: nobody reads the past.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::id::InstanceId;

use super::Copy;
use crate::workflow::{Done, Failure, Visit};

/// Readers wait for what is on its way already.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until the copy has all that `old` may have shown. Where that one does not answer any more, it
/// showed no more than its leader has.
pub(crate) async fn overtake(
    visit: &Visit<'_>,
    copy: Copy,
    old: InstanceId,
) -> Result<Done, Failure> {
    let shown = match visit.observe(copy.host, old).await?.replayed_lsn {
        Some(replayed) => Some(replayed),
        None => visit.observe(copy.host, copy.source).await?.flushed_lsn,
    };
    let Some(shown) = shown else {
        return Err(Failure::Failed("the leader does not answer".to_owned()));
    };
    loop {
        let seen = visit.observe(copy.host, copy.follower).await?;
        if seen.replayed_lsn >= Some(shown) {
            return Ok(Done::new().detail(json!({ "shown": shown })));
        }
        if seen.streaming != Some(true) {
            return Err(Failure::Failed(
                "the replacement does not follow".to_owned(),
            ));
        }
        sleep(LOOK_EVERY).await;
    }
}
