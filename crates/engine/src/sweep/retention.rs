//! Our own state does not grow for ever: what is over for long is forgotten.

use std::time::Duration;

use upkeep_store::Store;

use super::Error;

/// How long people can read, step by step, what was done. How maintenances ended is kept for good.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// So many rows at a time, so that nothing else waits for them.
const AT_MOST: u32 = 500;

pub(crate) async fn retention(store: &Store) -> Result<(), Error> {
    while store.forget(KEPT, AT_MOST).await.map_err(Error::Store)? > 0 {}
    Ok(())
}
