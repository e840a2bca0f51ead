//! The window of a database, and the week of what is planned.

use upkeep_domain::refusal::Refusal;
use upkeep_engine::request::{WindowWish, store_refusal};
use upkeep_server::backend::{Schedule, ScheduleView, SetWindow, WindowView};
use upkeep_store::Database;

use super::EngineBackend;

impl EngineBackend {
    pub(super) async fn window_of(&self, database: &Database) -> Result<WindowView, Refusal> {
        let window = self.engine.need_window(database)?;
        let planned = self.store.planned(database.id).await;
        let planned = planned.map_err(|error| store_refusal(&error))?;
        Ok(WindowView {
            window,
            previous: None,
            scheduled_for: planned.and_then(|planned| planned.maintenance.scheduled_for),
            previously_scheduled_for: None,
        })
    }

    pub(super) async fn change_window(&self, wish: SetWindow) -> Result<WindowView, Refusal> {
        let database = self.database_row(wish.database).await?;
        let typed = WindowWish {
            day: wish.day,
            time: wish.time,
            zone: wish.zone,
        };
        let change = self.engine.change_window(&database, &typed).await?;
        let moved = change.moved.unwrap_or_default();
        Ok(WindowView {
            window: change.window,
            previous: Some(change.previous),
            scheduled_for: moved.scheduled_for,
            previously_scheduled_for: moved.previously_scheduled_for,
        })
    }

    pub(super) async fn reschedule(&self, wish: Schedule) -> Result<ScheduleView, Refusal> {
        let database = self.database_row(wish.database).await?;
        let request_id = wish.request_id.to_string();
        let done = self
            .engine
            .reschedule(&database, wish.week, &request_id)
            .await?;
        Ok(ScheduleView {
            window: done.window,
            required_by: done.required_by,
            scheduled_for: done.moved.scheduled_for,
            previously_scheduled_for: done.moved.previously_scheduled_for,
        })
    }
}
