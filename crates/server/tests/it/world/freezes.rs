//! Freezes, kept in their order.

use async_trait::async_trait;
use jiff::Timestamp;
use upkeep_domain::maintenance::Freeze;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{Backend, FreezeView, Freezes};
use uuid::Uuid;

use super::{World, at};

#[async_trait]
impl Freezes for World {
    async fn freezes(&self) -> Result<Vec<FreezeView>, Refusal> {
        Ok(self.state().freezes.clone())
    }

    async fn add_freeze(
        &self,
        freeze: Freeze,
        by: &str,
        _request_id: Uuid,
    ) -> Result<FreezeView, Refusal> {
        let app = match freeze.scope {
            Scope::Fleet => None,
            Scope::App(id) => Some(self.app(&id.to_string()).await?.name),
        };
        let freezes = &mut self.state().freezes;
        let view = FreezeView {
            id: freezes.last().map_or(1, |last| last.id + 1),
            freeze,
            app,
            added_by: by.to_owned(),
            added_at: at(1_700_000_000),
        };
        freezes.push(view.clone());
        Ok(view)
    }

    async fn add_freezes(
        &self,
        freezes: Vec<Freeze>,
        by: &str,
    ) -> Result<Vec<FreezeView>, Refusal> {
        let mut added = Vec::new();
        for freeze in freezes {
            let is_kept = self
                .state()
                .freezes
                .iter()
                .any(|kept| kept.freeze == freeze);
            if !is_kept {
                added.push(self.add_freeze(freeze, by, Uuid::nil()).await?);
            }
        }
        Ok(added)
    }

    async fn now(&self) -> Result<Timestamp, Refusal> {
        Ok(at(1_700_000_000))
    }

    async fn remove_freeze(&self, id: i64) -> Result<FreezeView, Refusal> {
        let freezes = &mut self.state().freezes;
        let place = freezes.iter().position(|freeze| freeze.id == id);
        let place = place.ok_or_else(|| Refusal::not_found(format!("there is no freeze {id}")))?;
        Ok(freezes.remove(place))
    }
}
