//! What has to be maintained is planned: one maintenance per database for all reasons that are found, at a
//! time that its window, the notice and the policy allow. Found anew each time: what was planned before
//! changes with its reasons, and goes with them. It is not run here.

use upkeep_domain::maintenance::planning::Planning;
use upkeep_domain::refusal::Refusal;

use super::Error;
use crate::Engine;

/// One that cannot be planned does not keep the others waiting.
pub(crate) async fn required(engine: &Engine) -> Result<(), Error> {
    let catalogue = engine.catalogue().await.map_err(Error::Catalogue)?;
    let planning = Planning {
        now: engine.store.now().await.map_err(Error::Store)?,
        catalogue: &catalogue,
        policy: &engine.world.policy,
    };
    let mut first_error = Ok(());
    for standing in engine.store.standings().await.map_err(Error::Store)? {
        let planned = engine.plan(&planning, &standing).await;
        let failed = |source: Refusal| Error::Plan {
            database: standing.database.to_string(),
            source,
        };
        first_error = first_error.and(planned.map_err(failed));
    }
    first_error
}
