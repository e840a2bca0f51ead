//! Maintenances: listed, shown, run at once, remembered.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use upkeep_api::body::{
    AppUuid, AppliedSetting, Felt, Forecast, Maintenance, MaintenanceAddon, Maintenances, Outcome,
    RunMaintenance, Status, StepsMs, Took, Waive,
};
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::plan::SERVICE;
use upkeep_domain::procedure::End;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::{hold, maintenance};

use crate::backend::{self, Account, MaintenanceView, WaiverWish};
use crate::reply::{self, Reply};
use crate::request::{AlsoTold, Json, Params, RequestId, ToldBefore};
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

pub(super) async fn show(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(told): Extension<ToldBefore>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    if !told.0.is_empty() {
        // The next one may be planned already.
        let over = services.backend.history(database.id, 1).await?;
        if let Some(refusal) = over.iter().find_map(|over| bad_news(over, &told)) {
            return Err(refusal.into());
        }
    }
    let maintenance = services.backend.maintenance(database.id).await?;
    match bad_news(&maintenance, &told) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(watched(&maintenance, reply::ok)),
    }
}

/// Tells the id of a maintenance that runs, so that a command which waits is known by it.
fn watched(maintenance: &MaintenanceView, reply: fn(&Maintenance) -> Response) -> Response {
    let mut answer = reply(&shown(maintenance.clone()));
    if let (Some(id), maintenance::Status::Running) = (maintenance.id, maintenance.status) {
        answer.extensions_mut().insert(AlsoTold(id.0));
    }
    answer
}

/// Heroku's client takes every end of a run for a good one, for it knows no word for another. One that
/// has seen this run going on, and asks again in the same command, is told by a refusal.
fn bad_news(maintenance: &MaintenanceView, told: &ToldBefore) -> Option<Refusal> {
    maintenance.id.filter(|id| told.0.contains(&id.0))?;
    let name = &maintenance.database.name;
    let end = match maintenance.outcome? {
        End::Succeeded => {
            maintenance.outcome_because.as_ref()?;
            format!("the maintenance of {name} succeeded, but a person has to look")
        }
        End::RolledBack => format!("the maintenance of {name} was rolled back, nothing changed"),
        End::Stuck => format!("the maintenance of {name} is stuck, a person has to look"),
    };
    let because = maintenance.outcome_because.as_deref();
    let because = because.map(|because| format!(": {because}"));
    Some(Refusal::new(
        RefusalKind::Conflict,
        end + &because.unwrap_or_default(),
    ))
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
    let mut history = list(services.backend.history(database.id, limit as u32).await?);
    for past in &mut history.maintenances {
        if past.outcome == Some(Outcome::RolledBack) {
            past.status = Status::RolledBack;
        }
    }
    Ok(reply::ok(&history))
}

pub(super) async fn run(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Extension(account): Extension<Account>,
    Json(wish): Json<RunMaintenance>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let wish = backend::RunMaintenance {
        database: database.id,
        method: wish.method,
        release: wish.release,
        waivers: wish.waive.into_iter().map(waiver_wish).collect(),
        by: account.email,
        request_id: request_id.0,
    };
    let begun = services.backend.run(wish).await?;
    Ok(watched(&begun, reply::accepted))
}

fn waiver_wish(waive: Waive) -> WaiverWish {
    WaiverWish {
        check: waive.check,
        because: waive.because,
    }
}

fn list(maintenances: Vec<MaintenanceView>) -> Maintenances {
    Maintenances {
        maintenances: maintenances.into_iter().map(shown).collect(),
    }
}

/// Without the preflights: Heroku's client prints whatever is there, and they are pages long.
pub(crate) fn shown(view: MaintenanceView) -> Maintenance {
    let duration = view
        .started_at
        .zip(view.completed_at)
        .map(|(from, to)| to.duration_since(from));
    let spelled = |at: Option<_>| at.map(times::spelled);
    let status = match (view.status, view.outcome) {
        // Nothing is planned in its place.
        (maintenance::Status::Pending, Some(End::RolledBack)) => Status::RolledBack,
        (status, _) => shown_status(status),
    };
    // What has to be said of a success is what it did not bring.
    let (fell_back, outcome_because) = match view.outcome {
        Some(End::Succeeded) => (view.outcome_because.clone(), None),
        _ => (None, view.outcome_because.clone()),
    };
    Maintenance {
        addon: shown_addon(&view),
        app: AppUuid {
            name: view.database.app.name.to_string(),
            uuid: view.database.app.id.0,
        },
        begun_by: view.begun_by,
        completed_at: spelled(view.completed_at),
        duration_seconds: duration.map(|duration| duration.as_secs_f64().round() as u64),
        fell_back,
        felt: view.felt.map(shown_felt),
        forecast: view.forecast.map(shown_forecast),
        method: view.method,
        method_because: view.method_because,
        outcome: view.outcome.map(shown_outcome),
        outcome_because,
        preflight: Vec::new(),
        previously_scheduled_for: spelled(view.previously_scheduled_for),
        reason: view.reason,
        reason_because: view.reason_because,
        release_after: view.release_after,
        release_before: view.release_before,
        required_by: spelled(view.required_by),
        schedule_note: view.schedule_note,
        scheduled_for: spelled(view.scheduled_for),
        server_created_at: spelled(view.server_created_at),
        settings_applied: view
            .settings_applied
            .into_iter()
            .map(shown_setting)
            .collect(),
        started_at: spelled(view.started_at),
        status,
        step: view.step,
        steps_ms: StepsMs(view.steps_ms),
        took: view.took.map(|took| Took {
            preparing_ms: took.preparing_ms,
            run_ms: took.run_ms,
        }),
        waiting_for: view.waiting_for,
        window: view.window,
    }
}

fn shown_forecast(forecast: maintenance::Forecast) -> Forecast {
    Forecast {
        because: forecast.because,
        held_ms: forecast.held_ms,
        preparing_ms: forecast.preparing_ms,
        run_ms: forecast.run_ms,
        write_gap_ms: forecast.write_gap_ms,
    }
}

fn shown_addon(view: &MaintenanceView) -> MaintenanceAddon {
    let database = &view.database;
    MaintenanceAddon {
        attachments: database.config_vars(),
        description: database.plan.description.clone(),
        kind: SERVICE.to_owned(),
        name: database.name.to_string(),
        plan: database.plan.name.clone(),
        uuid: database.id.0,
        window: database.window.as_ref().map(maintenance::Window::to_string),
    }
}

fn shown_setting(setting: WaitingSetting) -> AppliedSetting {
    AppliedSetting {
        after: setting.after,
        before: setting.before,
        name: setting.name,
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
