//! Attachments: the names under which apps have databases. Made, listed, resolved, removed.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body::{AddonRef, Attachment, CreateAttachment, Named, ResolveAttachment};
use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::refusal::Refusal;

use super::addons::plan_name;
use super::apps::shown_ref;
use crate::backend::{Attach, AttachedView};
use crate::find;
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId};
use crate::resolve as resolver;
use crate::router::Services;

pub(super) async fn all(State(services): State<Services>) -> Reply {
    Ok(reply::ok(&list(services.backend.attachments(None).await?)))
}

pub(super) async fn of_app(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    let app = services.backend.app(&app).await?;
    Ok(reply::ok(&list(
        services.backend.attachments(Some(app.id)).await?,
    )))
}

pub(super) async fn of_addon(State(services): State<Services>, Path(addon): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &addon, None).await?;
    Ok(reply::ok(&list(resolver::attached(vec![database]))))
}

pub(super) async fn show(
    State(services): State<Services>,
    Path(attachment): Path<String>,
) -> Reply {
    let found = find::attachment(&*services.backend, &attachment, None).await?;
    Ok(reply::ok(&shown(found)))
}

pub(super) async fn show_of_app(
    State(services): State<Services>,
    Path((app, attachment)): Path<(String, String)>,
) -> Reply {
    let app = services.backend.app(&app).await?;
    let found = find::attachment(&*services.backend, &attachment, Some(app.id)).await?;
    Ok(reply::ok(&shown(found)))
}

pub(super) async fn create(
    State(services): State<Services>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<CreateAttachment>,
) -> Reply {
    if wish.namespace.is_some() {
        return Err(Refusal::invalid(
            "databases have one credential each: there is no other to attach",
        )
        .with_hint("leave --credential out")
        .into());
    }
    let app = services.backend.app(wish.app.as_str()).await?;
    let database = find::database(&*services.backend, wish.addon.as_str(), None).await?;
    let name = wish.name.map(AttachmentName::try_from).transpose();
    let wish = Attach {
        app: app.id,
        database: database.id,
        name: name.map_err(|error| Refusal::invalid(error.to_string()))?,
        confirm: wish.confirm,
        request_id: request_id.0,
    };
    Ok(reply::created(&shown(services.backend.attach(wish).await?)))
}

pub(super) async fn remove(
    State(services): State<Services>,
    Path(attachment): Path<String>,
) -> Reply {
    let found = find::attachment(&*services.backend, &attachment, None).await?;
    let gone = services.backend.detach(found.attachment.id).await?;
    Ok(reply::ok(&shown(gone)))
}

/// One for each database that is meant: more would be ambiguous to the client.
pub(super) async fn resolve(
    State(services): State<Services>,
    Json(wish): Json<ResolveAttachment>,
) -> Reply {
    let (app, text) = resolver::split(&wish.addon_attachment);
    let app = match app.or(wish.app.as_deref()) {
        Some(app) => Some(services.backend.app(app).await?.id),
        None => None,
    };
    let databases = services.backend.databases(None).await?;
    let found: Vec<_> = resolver::matching(databases, text, app)
        .into_iter()
        .filter_map(|database| resolver::meant(database, text, app))
        .map(shown)
        .collect();
    if found.is_empty() {
        return Err(find::unknown_attachment().into());
    }
    Ok(reply::ok(&found))
}

fn list(attached: Vec<AttachedView>) -> Vec<Attachment> {
    attached.into_iter().map(shown).collect()
}

fn shown(attached: AttachedView) -> Attachment {
    let AttachedView {
        attachment,
        database,
    } = attached;
    Attachment {
        addon: AddonRef {
            app: shown_ref(&database.app),
            config_vars: database.config_vars(),
            id: database.id.0,
            name: database.name.to_string(),
            plan: Named {
                name: plan_name(&database.plan.name),
            },
        },
        app: shown_ref(&attachment.app),
        config_vars: vec![attachment.name.config_var()],
        id: attachment.id.0,
        name: attachment.name.into(),
        namespace: None,
    }
}
