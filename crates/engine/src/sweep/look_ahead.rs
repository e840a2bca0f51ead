//! What is planned, and what it will meet: looked at when people are told of it, while there is time to put
//! right what stands in its way. It decides nothing: the run looks again.

use std::time::Duration;

use tokio::time::timeout;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::Forecast;
use upkeep_domain::notice::About;
use upkeep_domain::preflight::{Report, Run};
use upkeep_domain::refusal::Refusal;
use upkeep_store::Database;

use super::Error;
use crate::Engine;

/// A letter goes without, rather than late.
const LOOK_WITHIN: Duration = Duration::from_secs(20);

/// What can be told of what is planned.
#[derive(Default)]
pub(super) struct Ahead {
    pub(super) report: Option<Report>,
    pub(super) forecast: Option<Forecast>,
}

/// Nothing, if nobody can look just now.
pub(super) async fn look_ahead(
    engine: &Engine,
    database: DatabaseId,
    about: &About,
) -> Result<Ahead, Error> {
    let store = &engine.store;
    let Some(maintenance) = about.maintenance else {
        return Ok(Ahead::default());
    };
    let Some(database) = store.database(database).await.map_err(Error::Store)? else {
        return Ok(Ahead::default());
    };
    let looked = timeout(LOOK_WITHIN, Box::pin(look(engine, &database, about)));
    let (report, forecast) = match looked.await {
        Ok(Ok(seen)) => seen,
        Ok(Err(refusal)) => {
            tracing::warn!(database = database.name, %refusal, "nobody could look ahead");
            return Ok(Ahead::default());
        }
        Err(_) => {
            tracing::warn!(database = database.name, "looking ahead took too long");
            return Ok(Ahead::default());
        }
    };
    let recorded = store
        .record_look_ahead(maintenance, &report, forecast.as_ref())
        .await;
    recorded.map_err(Error::Store)?;
    Ok(Ahead {
        report: Some(report),
        forecast,
    })
}

async fn look(
    engine: &Engine,
    database: &Database,
    about: &About,
) -> Result<(Report, Option<Forecast>), Refusal> {
    let release = about.release_after.as_deref();
    let report = engine.report(Run::Ahead, database, release, None).await?;
    let forecast = engine
        .forecast(database, about.method.as_deref().unwrap_or_default())
        .await?;
    Ok((report, forecast))
}
