//! `data:maintenances:run`: a changeover, now.

use upkeep_domain::id::{InstanceId, MaintenanceId};
use upkeep_domain::plan::Plan;
use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Catalogue, Release, upgrade_allowed};
use upkeep_store::{
    Database, DatabaseState, Error as StoreError, Instance, Maintenance, NewMaintenance,
    NewWorkflow,
};

use super::{already_busy, store_refusal};
use crate::Engine;
use crate::procedure::{Changeover, Switch};

/// Asked for by a person, not by a policy.
const REASON: &str = "requested";

#[derive(Clone, Debug)]
pub struct RunMaintenance {
    pub database: Database,
    /// A release or version in the store; the newest of the same major when not given.
    pub release: Option<String>,
    /// A repeated request is answered with what the first one began.
    pub request_id: Option<String>,
}

impl Engine {
    pub async fn run_maintenance(&self, request: RunMaintenance) -> Result<Maintenance, Refusal> {
        let database = &request.database;
        if let Some(begun) = self.begun_by(request.request_id.as_deref()).await? {
            return Ok(begun);
        }
        if self.go_on_with_stuck(database).await? {
            return self.newest_maintenance(database).await;
        }
        let primary = self.primary(database).await?;
        self.need_idle(database).await?;
        let catalogue = self.catalogue().await?;
        let release = choose(&catalogue, database, &primary, request.release.as_deref())?;
        let maintenance = NewMaintenance {
            id: MaintenanceId(self.world.random.uuid()),
            method: Step::PROCEDURE.to_owned(),
            reason: REASON.to_owned(),
            release_before: primary.release.clone(),
            release_after: release.name.to_string(),
            request_id: request.request_id.clone(),
        };
        let workflow = self.changeover(database, &primary, release)?;
        match self.store.begin_maintenance(&workflow, &maintenance).await {
            Ok(()) => self.wake(),
            // The same request may have come twice at once: both are answered alike.
            Err(StoreError::Exists { .. }) => {
                let begun = self.begun_by(request.request_id.as_deref()).await?;
                let first_step = Step::ALL[0].spec().name;
                return begun.ok_or_else(|| already_busy(database, "maintenance", first_step));
            }
            Err(error) => return Err(store_refusal(&error)),
        }
        self.newest_maintenance(database).await
    }

    async fn newest_maintenance(&self, database: &Database) -> Result<Maintenance, Refusal> {
        let newest = self
            .store
            .maintenances(database.id, 1)
            .await
            .map_err(|error| store_refusal(&error))?;
        newest
            .into_iter()
            .next()
            .ok_or_else(|| Refusal::not_found("the database has no maintenance"))
    }

    async fn begun_by(&self, request_id: Option<&str>) -> Result<Option<Maintenance>, Refusal> {
        match request_id {
            Some(id) => self
                .store
                .maintenance_by_request(id)
                .await
                .map_err(|error| store_refusal(&error)),
            None => Ok(None),
        }
    }

    async fn primary(&self, database: &Database) -> Result<Instance, Refusal> {
        let not_ready = || {
            Refusal::new(
                RefusalKind::NotReady,
                format!("`{}` is not provisioned yet", database.name),
            )
            .with_hint(format!("wait for it: upkeep addons:wait {}", database.name))
        };
        if database.state != DatabaseState::Provisioned {
            return Err(not_ready());
        }
        let id = database.primary_instance.ok_or_else(not_ready)?;
        self.store
            .instance(id)
            .await
            .map_err(|error| store_refusal(&error))?
            .ok_or_else(not_ready)
    }

    fn changeover(
        &self,
        database: &Database,
        primary: &Instance,
        release: &Release,
    ) -> Result<NewWorkflow, Refusal> {
        let replacement = InstanceId(self.world.random.uuid());
        let changeover = Changeover {
            switch: Switch::new(
                primary.host_id,
                database.dbname.clone(),
                primary.id,
                replacement,
            ),
            release: release.name.clone(),
            settings: Plan::find(&database.plan)?.settings(),
            slot: format!("upkeep_{}", replacement.0.simple()),
        };
        Ok(self.workflow_of(database.id, &changeover))
    }
}

/// The release that was named, if it may follow the present one; or the newest that may.
fn choose<'a>(
    catalogue: &'a Catalogue,
    database: &Database,
    primary: &Instance,
    named: Option<&str>,
) -> Result<&'a Release, Refusal> {
    let present = catalogue.find(&primary.release).map_err(|error| {
        Refusal::invalid(format!(
            "the release that `{}` runs on is gone from the store: {error}",
            database.name
        ))
    })?;
    if let Some(text) = named {
        let release = catalogue
            .find(text)
            .map_err(|error| Refusal::not_found(error.to_string()))?;
        upgrade_allowed(present.version, release.version)
            .map_err(|error| Refusal::invalid(error.to_string()))?;
        return Ok(release);
    }
    catalogue
        .iter()
        .filter(|release| release.version > present.version)
        .filter(|release| upgrade_allowed(present.version, release.version).is_ok())
        .max_by_key(|release| release.version)
        .ok_or_else(|| {
            Refusal::new(
                RefusalKind::NotReady,
                format!(
                    "nothing is due: `{}` runs on {}, the newest of its major in the store",
                    database.name, present.version
                ),
            )
            .with_hint("add a newer release with upkeep releases:add, or name one with --release")
        })
}
