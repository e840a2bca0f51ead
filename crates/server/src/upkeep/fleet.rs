//! Every database in a line: what is due, scheduled, blocked, overdue.

use axum::extract::State;
use upkeep_api::body;

use crate::backend::FleetView;
use crate::reply::{self, Reply};
use crate::router::Services;
use crate::times;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let fleet = services.backend.fleet().await?;
    let fleet: Vec<_> = fleet.into_iter().map(shown).collect();
    Ok(reply::ok(&fleet))
}

fn shown(view: FleetView) -> body::FleetEntry {
    body::FleetEntry {
        app: view.app,
        because: view.because,
        database: view.database,
        method: view.method,
        outlook: view.outlook.to_string(),
        plan: view.plan,
        reason: view.reason,
        release: view.release,
        required_by: view.required_by.map(times::spelled),
        scheduled_for: view.scheduled_for.map(times::spelled),
    }
}
