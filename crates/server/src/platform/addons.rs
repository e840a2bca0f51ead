//! Databases as add-ons: created, listed, resolved, destroyed.

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::{Map, Value};
use upkeep_api::body::{Addon, AddonService, CreateAddon, Price, PricedPlan, ResolveAddon};
use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::name::{AppName, DatabaseName};
use upkeep_domain::plan::SERVICE;
use upkeep_domain::refusal::Refusal;

use super::apps::shown_ref;
use crate::backend::{Backend, CreateDatabase, DatabaseState, DatabaseView};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId};
use crate::router::Services;
use crate::{find, resolve as resolver, times};

pub(super) async fn all(State(services): State<Services>) -> Reply {
    Ok(reply::ok(&list(services.backend.databases(None).await?)))
}

/// What the app owns, and what it has of others.
pub(super) async fn of_app(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    let app = services.backend.app(&app).await?;
    let mut there = services.backend.databases(None).await?;
    there.retain(|database| {
        let mut apps = database.attachments.iter().map(|one| one.app.id);
        database.app.id == app.id || apps.any(|one| one == app.id)
    });
    Ok(reply::ok(&list(there)))
}

pub(super) async fn show(State(services): State<Services>, Path(addon): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &addon, None).await?;
    Ok(reply::ok(&shown(database)))
}

pub(super) async fn show_of_app(
    State(services): State<Services>,
    Path((app, addon)): Path<(String, String)>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let database = find::database(&*services.backend, &addon, Some(app.id)).await?;
    Ok(reply::ok(&shown(database)))
}

pub(super) async fn create(
    State(services): State<Services>,
    Path(app): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<CreateAddon>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let name = wish.name.map(DatabaseName::try_from).transpose();
    let attach_as = wish.attachment.and_then(|attachment| attachment.name);
    let attach_as = attach_as.map(AttachmentName::try_from).transpose();
    let config = config(&wish.config)?;
    let follow = match config.follow {
        Some(text) => Some(leader(&*services.backend, &text, &app.name).await?),
        None => None,
    };
    let wish = CreateDatabase {
        app: app.id,
        name: name.map_err(|error| Refusal::invalid(error.to_string()))?,
        attach_as: attach_as.map_err(|error| Refusal::invalid(error.to_string()))?,
        plan: wish.plan.as_str().to_owned(),
        release: config.release,
        follow,
        request_id: request_id.0,
    };
    let database = services.backend.create_database(wish).await?;
    Ok(reply::accepted(&shown(database)))
}

#[derive(Default)]
struct Config {
    release: Option<String>,
    follow: Option<String>,
}

/// What stands behind `--` has to be understood or refused: a follower that is silently none would
/// be a nasty surprise.
fn config(said: &Map<String, Value>) -> Result<Config, Refusal> {
    let mut config = Config::default();
    for (key, value) in said {
        match (key.as_str(), value) {
            ("release" | "version", Value::String(text)) => config.release = Some(text.clone()),
            ("follow", Value::String(text)) => config.follow = Some(text.clone()),
            ("follow", _) => {
                return Err(Refusal::invalid(
                    "`--follow` needs a database, such as `DATABASE`",
                ));
            }
            ("release" | "version", _) => {
                return Err(Refusal::invalid(format!(
                    "`--{key}` needs the name of a release, such as `15.18`"
                )));
            }
            _ => {
                return Err(Refusal::invalid(format!(
                    "the option `--{}` is not known",
                    key.escape_default()
                ))
                .with_hint("options of a new database: --release RELEASE, --follow DATABASE"));
            }
        }
    }
    Ok(config)
}

/// By what it is called in the app, in another one (`app::DATABASE`), or by its URL.
async fn leader(backend: &dyn Backend, text: &str, app: &AppName) -> Result<DatabaseId, Refusal> {
    let unknown = || {
        Refusal::not_found(format!(
            "there is no database `{}` to follow",
            shown_without_secrets(text)
        ))
        .with_hint("name it as `addons` lists it, or as app::DATABASE")
    };
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return backend.database_by_url(text).await?.ok_or_else(unknown);
    }
    let (other, name) = resolver::split(text);
    let mut found = backend.resolve(name, other.or(Some(app.as_str()))).await?;
    match found.len() {
        1 => Ok(found.remove(0).id),
        0 => Err(unknown()),
        _ => Err(Refusal::invalid(format!(
            "`{}` could be several databases",
            text.escape_default()
        ))
        .with_hint("name the one that is meant, as `addons` lists it")),
    }
}

fn shown_without_secrets(text: &str) -> String {
    let is_url = text.contains("://");
    let shown = if is_url { "postgres://…" } else { text };
    shown.escape_default().to_string()
}

pub(super) async fn destroy(
    State(services): State<Services>,
    Path((app, addon)): Path<(String, String)>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let database = find::database(&*services.backend, &addon, Some(app.id)).await?;
    let database = services.backend.destroy_database(database.id).await?;
    Ok(reply::accepted(&shown(database)))
}

pub(super) async fn resolve(
    State(services): State<Services>,
    Json(wish): Json<ResolveAddon>,
) -> Reply {
    let (app, text) = resolver::split(&wish.addon);
    let found = services
        .backend
        .resolve(text, app.or(wish.app.as_deref()))
        .await?;
    Ok(reply::ok(&list(found)))
}

fn list(databases: Vec<DatabaseView>) -> Vec<Addon> {
    databases.into_iter().map(shown).collect()
}

pub(super) fn shown(database: DatabaseView) -> Addon {
    Addon {
        addon_service: AddonService {
            name: SERVICE.to_owned(),
        },
        app: shown_ref(&database.app),
        billed_price: Price::none(),
        config_vars: database.config_vars(),
        created_at: times::iso(database.created_at),
        id: database.id.0,
        name: database.name.into(),
        plan: PricedPlan {
            name: plan_name(&database.plan.name),
            price: Price::none(),
        },
        provision_message: None,
        state: shown_state(database.state).to_owned(),
    }
}

pub(super) fn plan_name(plan: &str) -> String {
    format!("{SERVICE}:{plan}")
}

fn shown_state(state: DatabaseState) -> &'static str {
    match state {
        DatabaseState::Provisioning => "provisioning",
        DatabaseState::Provisioned => "provisioned",
        DatabaseState::Deprovisioning => "deprovisioning",
        // Heroku's word for one that could not be made as well: its client ends its wait with it.
        DatabaseState::Deprovisioned | DatabaseState::Failed => "deprovisioned",
    }
}
