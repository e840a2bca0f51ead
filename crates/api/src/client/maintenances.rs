//! Calls about maintenances, and the events of a database.

use reqwest::Method;
use uuid::Uuid;

use super::{Client, Error};
use crate::body::{
    Event, Events, FleetEntry, Maintenance, Maintenances, Preflight, Require, Requirement,
    RunMaintenance, Schedule, Scheduled, UpdateWindow, Window,
};
use crate::paths;

impl Client {
    /// Every database, with what is due.
    pub async fn fleet(&self) -> Result<Vec<FleetEntry>, Error> {
        self.get(paths::FLEET.to_owned()).await
    }

    pub async fn maintenances(&self, app: Uuid) -> Result<Vec<Maintenance>, Error> {
        let path = paths::fill(paths::APP_MAINTENANCES, &[&app.to_string()]);
        Ok(self.get::<Maintenances>(path).await?.maintenances)
    }

    pub async fn maintenance(&self, database: Uuid) -> Result<Maintenance, Error> {
        self.get(paths::fill(paths::MAINTENANCE, &[&database.to_string()]))
            .await
    }

    pub async fn history(&self, database: Uuid, limit: u32) -> Result<Vec<Maintenance>, Error> {
        let path = paths::fill(paths::HISTORY, &[&database.to_string()]);
        Ok(self
            .get::<Maintenances>(format!("{path}?limit={limit}"))
            .await?
            .maintenances)
    }

    pub async fn run(&self, database: Uuid, wish: &RunMaintenance) -> Result<Maintenance, Error> {
        let path = paths::fill(paths::RUN, &[&database.to_string()]);
        self.send(Method::POST, path, wish).await
    }

    /// In place of what was required of it before.
    pub async fn require(&self, database: Uuid, wish: &Require) -> Result<Requirement, Error> {
        let path = paths::fill(paths::REQUIREMENT, &[&database.to_string()]);
        self.send(Method::POST, path, wish).await
    }

    /// Tells what was required.
    pub async fn require_no_more(&self, database: Uuid) -> Result<Requirement, Error> {
        let path = paths::fill(paths::REQUIREMENT, &[&database.to_string()]);
        self.send(Method::DELETE, path, &()).await
    }

    /// Asks for the one that runs to be undone.
    pub async fn cancel(&self, database: Uuid) -> Result<Maintenance, Error> {
        let path = paths::fill(paths::CANCEL, &[&database.to_string()]);
        self.send(Method::POST, path, &serde_json::json!({})).await
    }

    pub async fn window(&self, database: Uuid) -> Result<Window, Error> {
        self.get(paths::fill(paths::WINDOW, &[&database.to_string()]))
            .await
    }

    pub async fn update_window(
        &self,
        database: Uuid,
        wish: &UpdateWindow,
    ) -> Result<Window, Error> {
        let path = paths::fill(paths::WINDOW, &[&database.to_string()]);
        self.send(Method::POST, path, wish).await
    }

    pub async fn schedule(&self, database: Uuid, wish: &Schedule) -> Result<Scheduled, Error> {
        let path = paths::fill(paths::SCHEDULE, &[&database.to_string()]);
        self.send(Method::POST, path, wish).await
    }

    /// What would stand in the way; changes nothing.
    pub async fn preflight(
        &self,
        database: Uuid,
        release: Option<&str>,
        method: Option<&str>,
    ) -> Result<Preflight, Error> {
        let path = paths::fill(paths::PREFLIGHT, &[&database.to_string()]);
        let query = paths::query([("release", release), ("method", method)]);
        self.get(format!("{path}{query}")).await
    }

    /// Those that were made for the latest maintenance.
    pub async fn preflights(&self, database: Uuid) -> Result<Vec<Preflight>, Error> {
        self.get(paths::fill(paths::PREFLIGHTS, &[&database.to_string()]))
            .await
    }

    /// Events behind `after`, or of the latest workflow from its beginning. Waits up to `wait_ms`
    /// until there is one.
    pub async fn events(
        &self,
        database: Uuid,
        after: Option<i64>,
        wait_ms: u64,
    ) -> Result<Vec<Event>, Error> {
        let path = paths::fill(paths::EVENTS, &[&database.to_string()]);
        let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
        Ok(self
            .get::<Events>(format!("{path}?wait_ms={wait_ms}{after}"))
            .await?
            .events)
    }
}
