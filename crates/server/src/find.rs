//! Finds what a path names: by name or by id, as Heroku's API takes both everywhere.

use upkeep_domain::id::{AppId, DatabaseId};
use upkeep_domain::refusal::Refusal;

use crate::backend::{Backend, DatabaseView};

/// A database, of `app` if one is said.
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
    there
        .into_iter()
        .find(|database| database.name.as_str() == text)
        .ok_or_else(unknown)
}

pub(crate) fn unknown() -> Refusal {
    Refusal::not_found("Couldn't find that add-on.")
        .with_hint("`addons` lists the databases there are")
}
