//! Attachments: one for each config var of a database, derived from it; nothing is stored of them.

use axum::extract::{Path, State};
use sha2::{Digest, Sha256};
use upkeep_api::body::{AddonRef, Attachment, Named, ResolveAttachment};
use upkeep_domain::refusal::Refusal;
use uuid::{Builder, Uuid};

use super::addons::plan_name;
use super::apps::shown_ref;
use crate::backend::DatabaseView;
use crate::find;
use crate::reply::{self, Reply};
use crate::request::Json;
use crate::resolve::{self as resolver, attachment_name};
use crate::router::Services;

pub(super) async fn all(State(services): State<Services>) -> Reply {
    Ok(reply::ok(&list(&services.backend.databases(None).await?)))
}

pub(super) async fn of_app(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    let app = services.backend.app(&app).await?;
    Ok(reply::ok(&list(
        &services.backend.databases(Some(app.id)).await?,
    )))
}

pub(super) async fn of_addon(State(services): State<Services>, Path(addon): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &addon, None).await?;
    Ok(reply::ok(&list(&[database])))
}

pub(super) async fn show(
    State(services): State<Services>,
    Path((app, name)): Path<(String, String)>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let there = list(&services.backend.databases(Some(app.id)).await?);
    let found = there
        .into_iter()
        .find(|a| a.name == name || Ok(a.id) == name.parse());
    Ok(reply::ok(&found.ok_or_else(unknown)?))
}

/// Of a database that has the name in question only that attachment, otherwise its first one: more
/// than one would be ambiguous to the client.
pub(super) async fn resolve(
    State(services): State<Services>,
    Json(wish): Json<ResolveAttachment>,
) -> Reply {
    let (app, text) = resolver::split(&wish.addon_attachment);
    let databases = services
        .backend
        .resolve(text, app.or(wish.app.as_deref()))
        .await?;
    let found: Vec<_> = databases
        .iter()
        .filter_map(|database| named(database, text))
        .collect();
    if found.is_empty() {
        return Err(unknown().into());
    }
    Ok(reply::ok(&found))
}

fn named(database: &DatabaseView, text: &str) -> Option<Attachment> {
    let meant = |var: &&String| *var == text || attachment_name(var) == text;
    let var = database
        .config_vars
        .iter()
        .find(meant)
        .or_else(|| database.config_vars.first())?;
    Some(shown(database, var))
}

fn unknown() -> Refusal {
    Refusal::not_found("Couldn't find that add on attachment.")
}

fn list(databases: &[DatabaseView]) -> Vec<Attachment> {
    let each = |database: &DatabaseView| -> Vec<_> {
        database
            .config_vars
            .iter()
            .map(|var| shown(database, var))
            .collect()
    };
    databases.iter().flat_map(each).collect()
}

fn shown(database: &DatabaseView, config_var: &str) -> Attachment {
    let name = attachment_name(config_var);
    Attachment {
        addon: AddonRef {
            app: shown_ref(&database.app),
            config_vars: database.config_vars.clone(),
            id: database.id.0,
            name: database.name.to_string(),
            plan: Named {
                name: plan_name(&database.plan.name),
            },
        },
        app: shown_ref(&database.app),
        config_vars: vec![config_var.to_owned()],
        id: attachment_id(database, name),
        name: name.to_owned(),
        namespace: None,
    }
}

/// The same database and name have the same id, always and on every server.
fn attachment_id(database: &DatabaseView, name: &str) -> Uuid {
    let digest = Sha256::new()
        .chain_update(database.id.0)
        .chain_update(name)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}
