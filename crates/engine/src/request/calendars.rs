//! Calendars that others subscribe to: added and removed by people. What is in them is rows, and no decision.

use upkeep_domain::id::AppId;
use upkeep_domain::refusal::Refusal;
use upkeep_store::KeptCalendar;

use super::store_refusal;
use crate::Engine;

/// Programs read each of them again and again.
const CALENDARS_MAX: usize = 1000;

impl Engine {
    pub async fn calendars(&self) -> Result<Vec<KeptCalendar>, Refusal> {
        let calendars = self.store.calendars().await;
        calendars.map_err(|error| store_refusal(&error))
    }

    /// Of an app, or of the fleet.
    ///
    /// # Errors
    /// A refusal when there are too many.
    pub async fn add_calendar(
        &self,
        app: Option<AppId>,
        token_sha256: &[u8; 32],
        by: &str,
        request_id: &str,
    ) -> Result<KeptCalendar, Refusal> {
        if self.calendars().await?.len() >= CALENDARS_MAX {
            let sentence = format!("there are {CALENDARS_MAX} calendars, and no more can be kept");
            return Err(Refusal::conflict(sentence)
                .with_hint("remove those that nobody reads: upkeep calendars:remove ID"));
        }
        let store = &self.store;
        let added = store.add_calendar(app, token_sha256, by, request_id);
        added.await.map_err(|error| store_refusal(&error))
    }

    /// # Errors
    /// A refusal when there is none with that id.
    pub async fn remove_calendar(&self, id: i64) -> Result<KeptCalendar, Refusal> {
        let removed = self.store.remove_calendar(id).await;
        removed
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(|| {
                Refusal::not_found(format!("there is no calendar {id}"))
                    .with_hint("`upkeep calendars` lists them")
            })
    }
}
