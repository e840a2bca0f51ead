//! Which databases a text can mean. Heroku's client resolves nothing by itself.

use upkeep_domain::id::AppId;
use upkeep_domain::plan;

use crate::backend::DatabaseView;

const URL_SUFFIX: &str = "_URL";

/// `app::name` is `name` in that app.
pub(crate) fn split(text: &str) -> (Option<&str>, &str) {
    text.split_once("::")
        .map_or((None, text), |(app, name)| (Some(app), name))
}

/// Names and ids are known everywhere; attachments, config vars and the service only in `app`.
pub fn matching(databases: Vec<DatabaseView>, text: &str, app: Option<AppId>) -> Vec<DatabaseView> {
    let mut found = databases;
    found.retain(|database| {
        let here = app.is_none_or(|app| app == database.app.id);
        is_itself(database, text) || (here && is_called(database, text))
    });
    found
}

fn is_itself(database: &DatabaseView, text: &str) -> bool {
    database.name.as_str() == text || text.parse() == Ok(database.id)
}

fn is_called(database: &DatabaseView, text: &str) -> bool {
    text == plan::SERVICE
        || database
            .config_vars
            .iter()
            .any(|var| var == text || attachment_name(var) == text)
}

/// `DATABASE_URL` is the attachment `DATABASE`.
pub(crate) fn attachment_name(config_var: &str) -> &str {
    config_var.strip_suffix(URL_SUFFIX).unwrap_or(config_var)
}
