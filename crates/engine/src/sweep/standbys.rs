//! Databases with high availability have a standby that follows their primary.
//!
//! Whether one is missing or broken is judged here; building it is a procedure's.

use upkeep_domain::id::InstanceId;
use upkeep_domain::procedure::{Steps, standby};
use upkeep_domain::standby::{back_off, is_broken};
use upkeep_store::Database;

use super::{Error, is_idle, look, provisioned};
use crate::Engine;

/// A standby that is missing or broken is built anew, unless that failed lately.
pub(crate) async fn standbys(engine: &Engine) -> Result<(), Error> {
    let mut first_error = Ok(());
    for database in provisioned(&engine.store).await? {
        // A follower has none until it is let go.
        if database.follows.is_some() {
            continue;
        }
        let plan = engine.world.plans.find(&database.plan);
        if plan.is_ok_and(|plan| plan.high_availability) {
            first_error = first_error.and(ensure(engine, &database).await);
        }
    }
    first_error
}

async fn ensure(engine: &Engine, database: &Database) -> Result<(), Error> {
    if !is_idle(&engine.store, database).await? {
        return Ok(());
    }
    let Some(broken) = broken(engine, database).await? else {
        return Ok(());
    };
    let failures = engine.store.failures(database.id, standby::Step::PROCEDURE);
    let (failures, ago) = failures.await.map_err(Error::Store)?;
    if ago < back_off(failures) {
        return Ok(());
    }
    tracing::info!(
        database = database.name,
        ?broken,
        failures,
        "building a standby"
    );
    // Somebody else may have begun something in this moment: then it is for the next time.
    if let Err(refusal) = engine.build_standby(database, broken).await {
        tracing::info!(database = database.name, %refusal, "no standby is built now");
    }
    Ok(())
}

/// The standbys that are none any more; `None` while there is a good one.
async fn broken(engine: &Engine, database: &Database) -> Result<Option<Vec<InstanceId>>, Error> {
    let standbys = engine.store.standbys(database.id);
    let mut broken = Vec::new();
    for (instance, silent_for) in standbys.await.map_err(Error::Store)? {
        let seen = look(&engine.world, &instance).await?;
        let follows_another = instance.follows != database.primary_instance;
        if !follows_another && !is_broken(&seen, silent_for) {
            return Ok(None);
        }
        broken.push(instance.id);
    }
    Ok(Some(broken))
}
