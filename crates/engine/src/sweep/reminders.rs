//! People are reminded of what is planned. When that is due is a rule of the domain.

use upkeep_domain::notice::reminder::{AHEAD, is_due};
use upkeep_store::Store;

use super::Error;

pub(crate) async fn reminders(store: &Store) -> Result<(), Error> {
    let now = store.now().await.map_err(Error::Store)?;
    let furthest = AHEAD.into_iter().max().unwrap_or_default();
    for planned in store.last_told(furthest).await.map_err(Error::Store)? {
        if is_due(now, planned.scheduled_for, planned.told_at) {
            store.remind(&planned).await.map_err(Error::Store)?;
        }
    }
    Ok(())
}
