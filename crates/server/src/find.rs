//! Finds what a path names: by name or by id, as Heroku's API takes both everywhere.

use upkeep_domain::id::{AppId, DatabaseId};
use upkeep_domain::refusal::Refusal;

use crate::backend::{AttachedView, Backend, DatabaseView};
use crate::resolve;

/// A database, of `app` if one is said. `app::attachment` names one as well.
pub(crate) async fn database(
    backend: &dyn Backend,
    text: &str,
    app: Option<AppId>,
) -> Result<DatabaseView, Refusal> {
    if let Ok(id) = text.parse::<DatabaseId>() {
        let database = backend.database(id).await?;
        return if app.is_none_or(|app| app == database.app.id) {
            Ok(database)
        } else {
            Err(unknown())
        };
    }
    let there = backend.databases(app).await?;
    let (Some(app), name) = resolve::split(text) else {
        let named = |database: &DatabaseView| database.name.as_str() == text;
        return there.into_iter().find(named).ok_or_else(unknown);
    };
    let app = backend.app(app).await?.id;
    let mut found = resolve::matching(there, name, Some(app));
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(unknown()),
        _ => Err(Refusal::conflict(format!(
            "`{}` could be several databases",
            text.escape_default()
        ))
        .with_hint("say the database by its own name")),
    }
}

/// An attachment, by its id or, in `app`, its name.
pub(crate) async fn attachment(
    backend: &dyn Backend,
    text: &str,
    app: Option<AppId>,
) -> Result<AttachedView, Refusal> {
    let there = backend.attachments(app).await?;
    let id = text.parse().ok();
    let is_meant = |one: &AttachedView| {
        Some(one.attachment.id) == id || (app.is_some() && one.attachment.name.is_meant_by(text))
    };
    there
        .into_iter()
        .find(is_meant)
        .ok_or_else(unknown_attachment)
}

pub(crate) fn unknown() -> Refusal {
    Refusal::not_found("Couldn't find that add-on.")
        .with_hint("`addons` lists the databases there are")
}

pub(crate) fn unknown_attachment() -> Refusal {
    Refusal::not_found("Couldn't find that add on attachment.")
}
