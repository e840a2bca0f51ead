//! Readers of a follower on their way onto another one: nobody reads the past.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::id::{HostId, InstanceId};

use crate::workflow::{Done, Failure, Visit};

/// Readers wait for what is on its way already.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until `new` has all that `old` may have shown. One that does not answer shows nobody anything.
pub(crate) async fn overtake(
    visit: &Visit<'_>,
    host: HostId,
    old: InstanceId,
    new: InstanceId,
) -> Result<Done, Failure> {
    let Some(shown) = visit.observe(host, old).await?.replayed_lsn else {
        return Ok(Done::new());
    };
    loop {
        let seen = visit.observe(host, new).await?;
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
