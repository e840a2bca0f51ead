//! `apps`, `apps:create`.

use upkeep_api::client::Client;

use crate::cli::AppsCreate;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let apps = client.apps().await?;
    let nothing = "There are no apps. `upkeep apps:create NAME` makes one.";
    out.list(&apps, nothing, |apps| {
        let names = apps.iter().map(|app| {
            let mode = if app.maintenance {
                " (maintenance mode)"
            } else {
                ""
            };
            format!("{}{mode}", app.name)
        });
        names.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

pub(super) async fn create(
    client: &Client,
    args: AppsCreate,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let app = out
        .doing("Creating app", client.create_app(args.name))
        .await?;
    out.result(&app, |app| app.name.clone());
    Ok(Exit::Done)
}
