//! Maintenances: listed, shown, run at once, remembered.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body::{
    AppUuid, Felt, Maintenance, MaintenanceAddon, Maintenances, Outcome, RunMaintenance, Status,
    StepsMs, Window,
};
use upkeep_domain::plan::SERVICE;
use upkeep_domain::procedure::End;
use upkeep_domain::{hold, maintenance};

use crate::backend::{self, MaintenanceView};
use crate::reply::{self, Reply};
use crate::request::{Json, Params, RequestId};
use crate::router::Services;
use crate::{find, times};

const HISTORY_LIMIT: i64 = 5;
const HISTORY_LIMIT_MAX: i64 = 20;

pub(super) async fn of_app(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    let app = services.backend.app(&app).await?;
    Ok(reply::ok(&list(
        services.backend.maintenances(app.id).await?,
    )))
}

pub(super) async fn show(State(services): State<Services>, Path(database): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    Ok(reply::ok(&shown(
        services.backend.maintenance(database.id).await?,
    )))
}

pub(super) async fn history(
    State(services): State<Services>,
    Path(database): Path<String>,
    params: Params,
) -> Reply {
    let limit = params
        .number("limit", HISTORY_LIMIT)?
        .clamp(1, HISTORY_LIMIT_MAX);
    let database = find::database(&*services.backend, &database, None).await?;
    Ok(reply::ok(&list(
        services.backend.history(database.id, limit as u32).await?,
    )))
}

pub(super) async fn run(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<RunMaintenance>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let wish = backend::RunMaintenance {
        database: database.id,
        release: wish.release,
        request_id: request_id.0,
    };
    Ok(reply::accepted(&shown(services.backend.run(wish).await?)))
}

pub(super) async fn window(
    State(services): State<Services>,
    Path(database): Path<String>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let maintenance = services.backend.maintenance(database.id).await?;
    Ok(reply::ok(&Window {
        previous_window: None,
        previously_scheduled_at: None,
        scheduled_at: maintenance.scheduled_for.map(times::spelled),
        window: maintenance.window,
    }))
}

fn list(maintenances: Vec<MaintenanceView>) -> Maintenances {
    Maintenances {
        maintenances: maintenances.into_iter().map(shown).collect(),
    }
}

fn shown(view: MaintenanceView) -> Maintenance {
    let duration = view
        .started_at
        .zip(view.completed_at)
        .map(|(from, to)| to.duration_since(from));
    let spelled = |at: Option<_>| at.map(times::spelled);
    Maintenance {
        addon: shown_addon(&view),
        app: AppUuid {
            name: view.database.app.name.to_string(),
            uuid: view.database.app.id.0,
        },
        completed_at: spelled(view.completed_at),
        duration_seconds: duration.map(|duration| duration.as_secs_f64().round() as u64),
        felt: view.felt.map(shown_felt),
        method: view.method,
        outcome: view.outcome.map(shown_outcome),
        outcome_because: view.outcome_because,
        previously_scheduled_for: spelled(view.previously_scheduled_for),
        reason: view.reason,
        release_after: view.release_after,
        release_before: view.release_before,
        required_by: spelled(view.required_by),
        scheduled_for: spelled(view.scheduled_for),
        server_created_at: spelled(view.server_created_at),
        started_at: spelled(view.started_at),
        status: shown_status(view.status),
        step: view.step,
        steps_ms: StepsMs(view.steps_ms),
        waiting_for: view.waiting_for,
        window: view.window,
    }
}

fn shown_addon(view: &MaintenanceView) -> MaintenanceAddon {
    let database = &view.database;
    MaintenanceAddon {
        attachments: database.config_vars.clone(),
        description: database.plan.description.to_owned(),
        kind: SERVICE.to_owned(),
        name: database.name.to_string(),
        plan: database.plan.name.to_owned(),
        uuid: database.id.0,
        window: view.window.clone(),
    }
}

fn shown_felt(felt: hold::Felt) -> Felt {
    Felt {
        held_ms: to_micros(felt.held_ms),
        longest_write_gap_ms: felt.longest_write_gap_ms.map(to_micros),
        sessions_at_risk: felt.sessions_at_risk,
        sessions_closed: felt.sessions_closed,
        sessions_held: felt.sessions_held,
        sessions_moved: felt.sessions_moved,
        statements_failed: felt.statements_failed,
    }
}

/// More digits than the clock has would be read as precision.
fn to_micros(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

fn shown_outcome(end: End) -> Outcome {
    match end {
        End::Succeeded => Outcome::Succeeded,
        End::RolledBack => Outcome::RolledBack,
        End::Stuck => Outcome::Stuck,
    }
}

fn shown_status(status: maintenance::Status) -> Status {
    match status {
        maintenance::Status::None => Status::None,
        maintenance::Status::Pending => Status::Pending,
        maintenance::Status::Preparing => Status::Preparing,
        maintenance::Status::Ready => Status::Ready,
        maintenance::Status::Running => Status::Running,
        maintenance::Status::Completed => Status::Completed,
    }
}
