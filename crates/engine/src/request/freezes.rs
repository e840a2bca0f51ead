//! Freezes: set and lifted by people. What is planned within a new one is moved by the sweep that plans.

use upkeep_domain::maintenance::Freeze;
use upkeep_domain::refusal::Refusal;
use upkeep_store::KeptFreeze;

use super::store_refusal;
use crate::Engine;

/// Each sweep looks at all of them for every database.
const FREEZES_MAX: usize = 1000;

impl Engine {
    pub async fn freezes(&self) -> Result<Vec<KeptFreeze>, Refusal> {
        let freezes = self.store.freezes().await;
        freezes.map_err(|error| store_refusal(&error))
    }

    /// # Errors
    /// A refusal when there are too many.
    pub async fn add_freeze(
        &self,
        freeze: &Freeze,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<KeptFreeze, Refusal> {
        let there = self.freezes().await?.len();
        if there >= FREEZES_MAX {
            return Err(too_many());
        }
        let added = self.store.add_freeze(freeze, by, request_id).await;
        added.map_err(|error| store_refusal(&error))
    }

    /// All of them or none; tells those that are new.
    ///
    /// # Errors
    /// A refusal when there are too many.
    pub async fn add_freezes(
        &self,
        freezes: &[Freeze],
        by: &str,
    ) -> Result<Vec<KeptFreeze>, Refusal> {
        let added = self.store.add_freezes(freezes, by, FREEZES_MAX).await;
        let added = added.map_err(|error| store_refusal(&error))?;
        added.ok_or_else(too_many)
    }

    /// # Errors
    /// A refusal when there is none with that id.
    pub async fn remove_freeze(&self, id: i64) -> Result<KeptFreeze, Refusal> {
        let removed = self.store.remove_freeze(id).await;
        removed
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(|| {
                Refusal::not_found(format!("there is no freeze {id}"))
                    .with_hint("`upkeep freezes` lists them")
            })
    }
}

fn too_many() -> Refusal {
    let sentence = format!("{FREEZES_MAX} freezes are as many as are kept");
    Refusal::conflict(sentence).with_hint("remove those that are over: upkeep freezes:remove ID")
}
