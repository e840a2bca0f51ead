//! Apps: created, listed, put into maintenance mode.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body::{self, AppChange, CreateApp, Email, Named};
use upkeep_domain::name::AppName;
use upkeep_domain::refusal::Refusal;

use crate::backend::{AppRef, AppView};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId};
use crate::router::Services;
use crate::times;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let apps: Vec<_> = services
        .backend
        .apps()
        .await?
        .into_iter()
        .map(shown)
        .collect();
    Ok(reply::ok(&apps))
}

pub(super) async fn create(
    State(services): State<Services>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<CreateApp>,
) -> Reply {
    let name = wish.name.map(AppName::try_from).transpose();
    let name = name.map_err(|error| Refusal::invalid(error.to_string()))?;
    let app = services.backend.create_app(name, request_id.0).await?;
    Ok(reply::created(&shown(app)))
}

pub(super) async fn show(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    Ok(reply::ok(&shown(services.backend.app(&app).await?)))
}

pub(super) async fn change(
    State(services): State<Services>,
    Path(app): Path<String>,
    Json(change): Json<AppChange>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let app = match change.maintenance {
        Some(on) => services.backend.set_app_maintenance(app.id, on).await?,
        None => app,
    };
    Ok(reply::ok(&shown(app)))
}

fn shown(app: AppView) -> body::App {
    let named = |name: &str| Named {
        name: name.to_owned(),
    };
    body::App {
        acm: false,
        archived_at: None,
        build_stack: named("none"),
        create_status: "complete".to_owned(),
        created_at: times::iso(app.created_at),
        git_url: String::new(),
        id: app.id.0,
        locked: false,
        maintenance: app.maintenance,
        name: app.name.into(),
        owner: Email {
            email: app.owner_email,
        },
        region: named("local"),
        repo_size: 0,
        slug_size: 0,
        space: None,
        stack: named("none"),
        web_url: String::new(),
    }
}

pub(super) fn shown_ref(app: &AppRef) -> body::AppRef {
    body::AppRef {
        id: app.id.0,
        name: app.name.to_string(),
    }
}
