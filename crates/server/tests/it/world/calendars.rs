//! Calendars, kept in their order with the hashes of their tokens.

use async_trait::async_trait;
use upkeep_domain::id::{AppId, MaintenanceId};
use upkeep_domain::maintenance::Status;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{Backend, CalendarView, Calendars, KeptCalendarView, MaintenanceView};
use uuid::Uuid;

use super::{World, at};

#[async_trait]
impl Calendars for World {
    async fn calendars(&self) -> Result<Vec<KeptCalendarView>, Refusal> {
        let kept = self.state().calendars.clone();
        Ok(kept.into_iter().map(|(_, view)| view).collect())
    }

    async fn add_calendar(
        &self,
        app: Option<AppId>,
        token_sha256: [u8; 32],
        by: &str,
        _request_id: Uuid,
    ) -> Result<KeptCalendarView, Refusal> {
        let app = match app {
            Some(id) => Some(self.app(&id.to_string()).await?.name),
            None => None,
        };
        let calendars = &mut self.state().calendars;
        let view = KeptCalendarView {
            id: calendars.last().map_or(1, |(_, last)| last.id + 1),
            app,
            added_by: by.to_owned(),
            added_at: at(1_700_000_000),
        };
        calendars.push((token_sha256, view.clone()));
        Ok(view)
    }

    async fn remove_calendar(&self, id: i64) -> Result<KeptCalendarView, Refusal> {
        let calendars = &mut self.state().calendars;
        let place = calendars.iter().position(|(_, view)| view.id == id);
        let place =
            place.ok_or_else(|| Refusal::not_found(format!("there is no calendar {id}")))?;
        Ok(calendars.remove(place).1)
    }

    async fn calendar(&self, token_sha256: [u8; 32]) -> Result<Option<CalendarView>, Refusal> {
        let state = self.state();
        let mut calendars = state.calendars.iter();
        let found = calendars.find(|(token, _)| *token == token_sha256);
        Ok(found.map(|(_, view)| CalendarView {
            now: at(1_700_000_000),
            app: view.app.clone(),
            maintenances: state.history.clone(),
            freezes: state.freezes.clone(),
        }))
    }
}

impl World {
    /// Another one like the last, which is being prepared for its window.
    pub(crate) fn prepare_ahead(&self) {
        let history = &mut self.state().history;
        let last = history.last().expect("there was one").clone();
        history.push(MaintenanceView {
            id: Some(MaintenanceId(Uuid::from_u128(2))),
            status: Status::Preparing,
            scheduled_for: Some(at(1_700_003_600)),
            completed_at: None,
            outcome: None,
            outcome_because: None,
            ..last
        });
    }
}
