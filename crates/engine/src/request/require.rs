//! Maintenances that people require. They are planned with whatever else is due, by the sweep that plans; in an
//! emergency that is now.

use upkeep_domain::maintenance::{Requirement, requirement};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{Database, DatabaseState};

use super::store_refusal;
use crate::Engine;

impl Engine {
    /// # Errors
    /// A refusal where nothing can be planned, or the reason is none.
    pub async fn require_maintenance(
        &self,
        database: &Database,
        because: &str,
        emergency: bool,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<Requirement, Refusal> {
        let because = requirement::typed(because)?;
        let name = &database.name;
        if database.state != DatabaseState::Provisioned {
            let sentence = format!("`{name}` is not there yet, or not any more");
            return Err(Refusal::new(RefusalKind::NotReady, sentence));
        }
        let unfinished = self.store.unfinished(database.id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        if unfinished.is_some_and(|work| work.is_stuck) {
            let sentence = format!(
                "the last maintenance of `{name}`, or of its family, is stuck: nothing is planned before it has gone on"
            );
            return Err(Refusal::conflict(sentence).with_hint(format!(
                "put right what keeps it there, then: upkeep data:maintenances:run {name}"
            )));
        }
        let required = self
            .store
            .require(database.id, &because, emergency, by, request_id);
        let required = required.await.map_err(|error| store_refusal(&error))?;
        self.plan_now();
        Ok(required)
    }

    /// What was required. What else is due stays planned.
    ///
    /// # Errors
    /// A refusal when nobody requires one.
    pub async fn require_no_more(&self, database: &Database) -> Result<Requirement, Refusal> {
        let required = self.store.require_no_more(database.id).await;
        let required = required.map_err(|error| store_refusal(&error))?;
        self.plan_now();
        required.ok_or_else(|| {
            let sentence = format!("nobody requires a maintenance of `{}`", database.name);
            Refusal::conflict(sentence)
        })
    }
}
