//! The one database that a person means.

use upkeep_api::body::Addon;
use upkeep_api::client::Client;

use crate::exit::Failure;

pub(super) async fn database(
    client: &Client,
    text: &str,
    app: Option<&str>,
) -> Result<Addon, Failure> {
    let mut found = client.resolve(text, app).await?;
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => {
            let place = app
                .map(|app| format!(" for the app `{app}`"))
                .unwrap_or_default();
            Err(
                Failure::refused(format!("there is no database `{text}`{place}"))
                    .with_hint("`upkeep addons` lists the databases there are"),
            )
        }
        _ => {
            let names: Vec<_> = found.into_iter().map(|addon| addon.name).collect();
            Err(Failure::refused(format!(
                "`{text}` could be several databases: {}",
                names.join(", ")
            ))
            .with_hint("say the app with -a, or the database by its own name"))
        }
    }
}

/// The one that is named, or all that the app owns or has a name for.
pub(super) async fn databases(
    client: &Client,
    text: Option<&str>,
    app: Option<&str>,
) -> Result<Vec<Addon>, Failure> {
    match text {
        Some(text) => Ok(vec![database(client, text, app).await?]),
        None => Ok(client.addons(app).await?),
    }
}

/// Refuses unless the owning app's name was typed.
pub(super) fn confirmed(addon: &Addon, confirm: Option<&str>, what: &str) -> Result<(), Failure> {
    let app = &addon.app.name;
    match confirm {
        Some(given) if given == app => Ok(()),
        Some(given) => Err(Failure::refused(format!(
            "confirmation `{given}` is not the name of the app that owns {}",
            addon.name
        ))
        .with_hint(format!("it is `{app}`"))),
        None => Err(Failure::refused(what)
            .with_hint(format!("to proceed, run it again with --confirm {app}"))),
    }
}
