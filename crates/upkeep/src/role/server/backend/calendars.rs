//! Calendars that others subscribe to.

use std::collections::HashMap;

use async_trait::async_trait;
use upkeep_domain::id::AppId;
use upkeep_domain::refusal::Refusal;
use upkeep_engine::request::store_refusal;
use upkeep_server::backend::{
    CalendarView, Calendars, FreezeView, Freezes as _, KeptCalendarView, MaintenanceView,
};
use upkeep_store::KeptCalendar;
use uuid::Uuid;

use super::EngineBackend;
use crate::role::server::views;

#[async_trait]
impl Calendars for EngineBackend {
    async fn calendars(&self) -> Result<Vec<KeptCalendarView>, Refusal> {
        let kept = self.engine.calendars().await?;
        kept.into_iter().map(views::calendar).collect()
    }

    async fn add_calendar(
        &self,
        app: Option<AppId>,
        token_sha256: [u8; 32],
        by: &str,
        request_id: Uuid,
    ) -> Result<KeptCalendarView, Refusal> {
        let request_id = request_id.to_string();
        let engine = &self.engine;
        let added = engine.add_calendar(app, &token_sha256, by, &request_id);
        views::calendar(added.await?)
    }

    async fn remove_calendar(&self, id: i64) -> Result<KeptCalendarView, Refusal> {
        views::calendar(self.engine.remove_calendar(id).await?)
    }

    async fn calendar(&self, token_sha256: [u8; 32]) -> Result<Option<CalendarView>, Refusal> {
        let found = self.store.calendar_by_token(&token_sha256).await;
        let found = found.map_err(|error| store_refusal(&error))?;
        let Some(KeptCalendar { app, app_name, .. }) = found else {
            return Ok(None);
        };
        Ok(Some(CalendarView {
            now: self.now().await?,
            app: app_name.as_deref().map(views::app_name).transpose()?,
            maintenances: self.entries(app).await?,
            freezes: self.freezes_in(app).await?,
        }))
    }
}

impl EngineBackend {
    async fn entries(&self, app: Option<AppId>) -> Result<Vec<MaintenanceView>, Refusal> {
        let databases = self.store.databases().await;
        let databases = databases.map_err(|error| store_refusal(&error))?;
        let databases: HashMap<_, _> = databases.iter().map(|row| (row.id, row)).collect();
        let entries = self.store.calendar_entries(app).await;
        let entries = entries.map_err(|error| store_refusal(&error))?;
        let shown = entries.iter().filter_map(|row| {
            // It may have been destroyed between the two questions.
            let database = databases.get(&row.database_id)?;
            let view = self.view(database);
            Some(view.and_then(|view| views::maintenance(row, view, None)))
        });
        shown.collect()
    }

    async fn freezes_in(&self, app: Option<AppId>) -> Result<Vec<FreezeView>, Refusal> {
        let mut freezes = self.freezes().await?;
        if let Some(app) = app {
            freezes.retain(|view| view.freeze.concerns(&[app]));
        }
        Ok(freezes)
    }
}
