//! Times in which nothing is maintained: listed, added, removed.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::{Freeze, Zone};
use upkeep_domain::refusal::Refusal;

use crate::backend::{Account, FreezeView};
use crate::calendar::{self, Imported, LeftOut};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId, numbered};
use crate::router::Services;
use crate::times;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let freezes = services.backend.freezes().await?;
    let freezes: Vec<_> = freezes.into_iter().map(shown).collect();
    Ok(reply::ok(&freezes))
}

pub(super) async fn add(
    State(services): State<Services>,
    Extension(account): Extension<Account>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<body::AddFreeze>,
) -> Reply {
    let scope = scope(&services, wish.app.as_deref()).await?;
    let period = (wish.from.as_str(), wish.to.as_str());
    let freeze = Freeze::typed(scope, period, wish.time_zone.as_deref(), &wish.because)?;
    let added = services
        .backend
        .add_freeze(freeze, &account.email, request_id.0)
        .await?;
    Ok(reply::created(&shown(added)))
}

pub(super) async fn import(
    State(services): State<Services>,
    Extension(account): Extension<Account>,
    Json(wish): Json<body::ImportFreezes>,
) -> Reply {
    let backend = &services.backend;
    let scope = scope(&services, wish.app.as_deref()).await?;
    let zone = wish.time_zone.as_deref();
    let zone = zone.map_or(Ok(Zone::UTC), str::parse)?;
    let Imported { freezes, left_out } =
        calendar::import(&wish.calendar, scope, &zone, backend.now().await?)?;
    let count = freezes.len();
    let added = backend.add_freezes(freezes, &account.email).await?;
    Ok(reply::created(&body::ImportedFreezes {
        kept: count - added.len(),
        added: added.into_iter().map(shown).collect(),
        left_out: left_out.into_iter().map(shown_left_out).collect(),
    }))
}

async fn scope(services: &Services, app: Option<&str>) -> Result<Scope, Refusal> {
    match app {
        Some(app) => Ok(Scope::App(services.backend.app(app).await?.id)),
        None => Ok(Scope::Fleet),
    }
}

fn shown_left_out(left_out: LeftOut) -> body::LeftOutEvent {
    body::LeftOutEvent {
        because: left_out.because.to_owned(),
        summary: left_out.summary,
    }
}

pub(super) async fn remove(State(services): State<Services>, Path(id): Path<String>) -> Reply {
    let id = numbered(&id, "a freeze", "upkeep freezes")?;
    Ok(reply::ok(&shown(services.backend.remove_freeze(id).await?)))
}

fn shown(view: FreezeView) -> body::Freeze {
    let (from, to) = view.freeze.period.ends();
    body::Freeze {
        added_at: times::iso(view.added_at),
        added_by: view.added_by,
        app: view.app.map(|app| app.to_string()),
        because: view.freeze.because,
        from,
        id: view.id,
        period: view.freeze.period.to_string(),
        time_zone: view.freeze.zone.to_string(),
        to,
    }
}
