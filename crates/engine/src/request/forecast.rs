//! How long a maintenance will take, and what its clients will feel, as earlier runs tell. Nothing depends on it.

use upkeep_domain::maintenance::Forecast;
use upkeep_domain::maintenance::forecast::{RUNS_LOOKED_AT, forecast};
use upkeep_domain::refusal::Refusal;
use upkeep_store::{Database, Instance};

use super::store_refusal;
use crate::Engine;

/// What can be told of a run before it is begun.
#[derive(Debug, Default)]
pub(crate) struct Outset {
    pub(crate) size_bytes: Option<u64>,
    pub(crate) forecast: Option<Forecast>,
}

impl Engine {
    /// Of a run by that method, as things are now.
    pub(crate) async fn forecast(
        &self,
        database: &Database,
        method: &str,
    ) -> Result<Option<Forecast>, Refusal> {
        let primary = self.primary(database).await?;
        Ok(self.outset(database, &primary, method).await?.forecast)
    }

    /// By that method. `primary` is the server whose data would be copied.
    pub(crate) async fn outset(
        &self,
        database: &Database,
        primary: &Instance,
        method: &str,
    ) -> Result<Outset, Refusal> {
        let usage = self.usage(database, primary).await;
        let size_bytes = usage.map(|usage| usage.size_bytes);
        let own = self
            .store
            .own_pasts(database.id, method, RUNS_LOOKED_AT)
            .await
            .map_err(|error| store_refusal(&error))?;
        let others = if own.is_empty() {
            let others = self.store.pasts_of_others(database.id, method).await;
            others.map_err(|error| store_refusal(&error))?
        } else {
            Vec::new()
        };
        let forecast = forecast(size_bytes, &own, &others);
        Ok(Outset {
            size_bytes,
            forecast,
        })
    }
}
