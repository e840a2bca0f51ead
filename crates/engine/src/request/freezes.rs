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
        self.need_room_for(1).await?;
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
        self.need_room_for(freezes.len()).await?;
        let added = self.store.add_freezes(freezes, by).await;
        added.map_err(|error| store_refusal(&error))
    }

    async fn need_room_for(&self, more: usize) -> Result<(), Refusal> {
        let there = self.freezes().await?.len();
        if there + more > FREEZES_MAX {
            let sentence =
                format!("there are {there} freezes, and {FREEZES_MAX} is as many as are kept");
            return Err(Refusal::conflict(sentence)
                .with_hint("remove those that are over: upkeep freezes:remove ID"));
        }
        Ok(())
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
