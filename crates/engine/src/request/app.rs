//! Creating apps.

use upkeep_domain::id::AppId;
use upkeep_domain::name::AppName;
use upkeep_domain::refusal::Refusal;
use upkeep_store::{App, Error as StoreError};

use super::naming::app_name;
use super::store_refusal;
use crate::Engine;

/// Free names are found quickly; more tries than that are a defect.
const TRIES: usize = 8;

impl Engine {
    /// With a free name when none is given.
    pub async fn create_app(&self, name: Option<AppName>) -> Result<App, Refusal> {
        if let Some(name) = name {
            return self.insert_app(&name).await?.ok_or_else(|| {
                Refusal::conflict(format!("there is an app `{name}` already"))
                    .with_hint("choose another name")
            });
        }
        for _ in 0..TRIES {
            if let Some(app) = self
                .insert_app(&app_name(self.world.random.as_ref()))
                .await?
            {
                return Ok(app);
            }
        }
        Err(Refusal::conflict("no free name was found for the app")
            .with_hint("give one: upkeep apps:create NAME"))
    }

    /// `None` when the name is taken.
    async fn insert_app(&self, name: &AppName) -> Result<Option<App>, Refusal> {
        match self
            .store
            .insert_app(AppId(self.world.random.uuid()), name)
            .await
        {
            Ok(app) => Ok(Some(app)),
            Err(StoreError::Exists { .. }) => Ok(None),
            Err(error) => Err(store_refusal(&error)),
        }
    }
}
