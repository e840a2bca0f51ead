//! Windows, and one maintenance that is planned, by the rules of the domain.

use jiff::{SignedDuration, Timestamp};
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::schedule::{Expected, Terms, after_window_change, in_week};
use upkeep_domain::maintenance::{Status, Window, Zone};
use upkeep_domain::plan::Plan;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{MaintenanceView, Schedule, ScheduleView, SetWindow, WindowView};
use uuid::Uuid;

use super::{World, unknown};

const NOW: &str = "2030-01-07T12:00:00Z";

/// The same for each database, to be read in tests.
pub(super) fn first(plan: &Plan) -> Option<Window> {
    let tuesdays = Window::typed("tue", "17:30", Zone::UTC).unwrap();
    plan.window.then_some(tuesdays)
}

fn terms<'a>(record: &MaintenanceView, window: &'a Window) -> Terms<'a> {
    Terms {
        now: NOW.parse().unwrap(),
        window,
        notice: SignedDuration::ZERO,
        required_by: record.required_by.unwrap(),
        freezes: &[],
        expected: Expected::default(),
    }
}

impl World {
    pub(crate) fn plan(&self, id: Uuid, scheduled_for: Timestamp, required_by: Timestamp) {
        let mut state = self.state();
        let record = state.maintenances.get_mut(&DatabaseId(id)).unwrap();
        record.status = Status::Pending;
        record.reason = Some("security_release".to_owned());
        record.reason_because = Some("PostgreSQL 15.20 closes security holes".to_owned());
        record.scheduled_for = Some(scheduled_for);
        record.required_by = Some(required_by);
    }

    pub(super) fn window_of(&self, database: DatabaseId) -> Result<WindowView, Refusal> {
        let record = self.record(database)?;
        Ok(WindowView {
            window: window(&record)?,
            previous: None,
            scheduled_for: record.scheduled_for,
            previously_scheduled_for: None,
        })
    }

    pub(super) fn change_window(&self, wish: SetWindow) -> Result<WindowView, Refusal> {
        let mut record = self.record(wish.database)?;
        let previous = window(&record)?;
        let zone = wish.zone.as_deref().map_or(Ok(Zone::UTC), str::parse)?;
        let new = Window::typed(&wish.day, &wish.time, zone)?;
        let before = record.scheduled_for;
        if before.is_some() {
            let moved = after_window_change(&terms(&record, &new), before)?;
            record.scheduled_for = Some(moved.from);
            record.previously_scheduled_for = before;
        }
        record.database.window = Some(new.clone());
        record.window = Some(new.to_string());
        let view = WindowView {
            window: new,
            previous: Some(previous),
            scheduled_for: record.scheduled_for,
            previously_scheduled_for: before,
        };
        self.remember(record);
        Ok(view)
    }

    pub(super) fn reschedule(&self, wish: Schedule) -> Result<ScheduleView, Refusal> {
        let mut record = self.record(wish.database)?;
        let window = window(&record)?;
        let before = record.scheduled_for;
        if before.is_none() {
            return Err(Refusal::invalid("there is no maintenance to schedule"));
        }
        let opening = in_week(&terms(&record, &window), before, wish.week)?;
        record.previously_scheduled_for = before;
        record.scheduled_for = Some(opening.from);
        let view = ScheduleView {
            window,
            required_by: record.required_by,
            scheduled_for: record.scheduled_for,
            previously_scheduled_for: before,
        };
        self.remember(record);
        Ok(view)
    }

    pub(super) fn record(&self, database: DatabaseId) -> Result<MaintenanceView, Refusal> {
        let state = self.state();
        let found = state.maintenances.get(&database).cloned();
        found.ok_or_else(|| unknown("add-on"))
    }

    fn remember(&self, record: MaintenanceView) {
        let mut state = self.state();
        state.maintenances.insert(record.database.id, record);
    }
}

fn window(record: &MaintenanceView) -> Result<Window, Refusal> {
    let refusal = || Refusal::invalid("An Essential tier database has no maintenance window.");
    record.database.window.clone().ok_or_else(refusal)
}
