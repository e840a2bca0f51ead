//! `maintenances:require`, `maintenances:unrequire`.

use upkeep_api::body::Require;
use upkeep_api::client::Client;

use crate::cli::{MaintenanceRequire, MaintenanceRequireNoMore};
use crate::command::find;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(crate) async fn require(
    client: &Client,
    args: MaintenanceRequire,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let wish = Require {
        because: args.because,
        emergency: args.emergency,
    };
    let doing = format!("Requiring a maintenance of {}", addon.name);
    let required = out.doing(&doing, client.require(addon.id, &wish)).await?;
    let next = if required.emergency {
        format!(
            "It is begun in a moment, and everybody is told. Watch it: upkeep data:maintenances:wait {}",
            addon.name
        )
    } else {
        format!(
            "It is planned in a moment. See for when: upkeep data:maintenances:info {}",
            addon.name
        )
    };
    out.say(&next);
    out.result(&required, |_| String::new());
    Ok(Exit::Done)
}

pub(crate) async fn require_no_more(
    client: &Client,
    args: MaintenanceRequireNoMore,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Requiring no maintenance of {} any more", addon.name);
    let required = out.doing(&doing, client.require_no_more(addon.id)).await?;
    out.result(&required, |_| String::new());
    Ok(Exit::Done)
}
