//! `data:maintenances` and what belongs to it.

mod preflight;
mod render;
mod require;
mod run;
mod window;

use upkeep_api::client::Client;

use super::find;
use crate::cli::{MaintenanceHistory, MaintenanceInfo, MaintenancesList};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) use preflight::preflight;
#[cfg(test)]
pub(crate) use preflight::render_preflight;
pub(crate) use render::{render_history, render_info, render_list};
pub(super) use require::{require, require_no_more};
pub(super) use run::{cancel, run, wait};
#[cfg(test)]
pub(crate) use window::{render_scheduled, render_window};
pub(super) use window::{schedule, update as update_window, window};

pub(super) async fn list(
    client: &Client,
    args: MaintenancesList,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let list = async {
        let app = client.app(&args.app.app).await?;
        client.maintenances(app.id).await
    };
    let maintenances = out.doing("Fetching maintenances", list).await?;
    if maintenances.is_empty() {
        return Err(
            Failure::refused(format!("no maintenances found for app {}", args.app.app))
                .with_hint("it has no databases: `upkeep addons:create` makes one"),
        );
    }
    out.result(&maintenances, |maintenances| render_list(maintenances));
    Ok(Exit::Done)
}

pub(super) async fn info(
    client: &Client,
    args: MaintenanceInfo,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Fetching maintenance for {}", addon.name);
    let asked = async {
        let mut maintenance = client.maintenance(addon.id).await?;
        maintenance.preflight = client.preflights(addon.id).await?;
        Ok::<_, Failure>(maintenance)
    };
    let maintenance = out.doing(&doing, asked).await?;
    out.result(&maintenance, render_info);
    Ok(Exit::Done)
}

pub(super) async fn history(
    client: &Client,
    args: MaintenanceHistory,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let maintenances = client.history(addon.id, args.num).await?;
    let nothing = format!("{} does not have any maintenance history", addon.name);
    out.list(&maintenances, &nothing, render_history);
    Ok(Exit::Done)
}
