//! `addons:destroy`: a database and everything of it.

use upkeep_domain::refusal::Refusal;
use upkeep_store::{Database, Error as StoreError};

use super::{goes_on, not_begun, store_refusal};
use crate::Engine;
use crate::procedure::Destroy;

impl Engine {
    pub async fn destroy_database(&self, database: &Database) -> Result<(), Refusal> {
        if self.go_on_with_stuck(database).await? {
            return Err(goes_on(database, "maintenance"));
        }
        self.need_idle(database).await?;
        let instances = self
            .store
            .instances(database.id)
            .await
            .map_err(|error| store_refusal(&error))?;
        let destroy = Destroy {
            dbname: database.dbname.clone(),
            leader: database.follows,
            instances: instances
                .into_iter()
                .map(|instance| (instance.host_id, instance.id))
                .collect(),
        };
        let workflow = self.workflow_of(database.id, &destroy);
        match self.store.begin_destroy(&workflow).await {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(StoreError::HasFollowers) => self.name_followers(database).await,
            Err(error) => Err(not_begun(database, &error)),
        }
    }
}
