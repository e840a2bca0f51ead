//! Which databases a text can mean. Heroku's client resolves nothing by itself.

use upkeep_domain::id::AppId;
use upkeep_domain::plan;

use crate::backend::{AttachedView, AttachmentView, DatabaseView};

/// `app::name` is `name` in that app.
pub(crate) fn split(text: &str) -> (Option<&str>, &str) {
    text.split_once("::")
        .map_or((None, text), |(app, name)| (Some(app), name))
}

/// Names and ids are known everywhere; attachments, config vars and the service only in `app`.
pub fn matching(databases: Vec<DatabaseView>, text: &str, app: Option<AppId>) -> Vec<DatabaseView> {
    let mut found = databases;
    found.retain(|database| is_itself(database, text) || is_called(database, text, app));
    found
}

fn is_itself(database: &DatabaseView, text: &str) -> bool {
    database.name.as_str() == text || text.parse() == Ok(database.id)
}

fn is_called(database: &DatabaseView, text: &str, app: Option<AppId>) -> bool {
    let mut here = database
        .attachments
        .iter()
        .filter(|one| app.is_none_or(|app| app == one.app.id));
    here.any(|one| text == plan::SERVICE || one.name.is_meant_by(text))
}

/// The attachment that is meant where its database is: the one with the name in question, otherwise
/// the first one in `app`, otherwise the first one.
pub(crate) fn meant(
    database: DatabaseView,
    text: &str,
    app: Option<AppId>,
) -> Option<AttachedView> {
    let here = |one: &AttachmentView| app.is_none_or(|app| app == one.app.id);
    let called = |one: &AttachmentView| one.name.is_meant_by(text);
    let all = &database.attachments;
    let attachment = all
        .iter()
        .find(|one| here(one) && called(one))
        .or_else(|| all.iter().find(|one| here(one)))
        .or_else(|| all.first())
        .cloned()?;
    Some(AttachedView {
        attachment,
        database,
    })
}

pub(crate) fn attached(databases: Vec<DatabaseView>) -> Vec<AttachedView> {
    let each = |database: DatabaseView| {
        let attachments = database.attachments.clone().into_iter();
        attachments.map(move |attachment| AttachedView {
            attachment,
            database: database.clone(),
        })
    };
    databases.into_iter().flat_map(each).collect()
}
