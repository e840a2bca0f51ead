//! `fleet`: every database in a line, what needs a person first.

use upkeep_api::body::FleetEntry;
use upkeep_api::client::Client;

use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let fleet = client.fleet().await?;
    let nothing = "There are no databases. `upkeep addons:create` makes one.";
    out.list(&fleet, nothing, render_fleet);
    Ok(Exit::Done)
}

pub(crate) fn render_fleet(fleet: &[FleetEntry]) -> String {
    let row = |entry: &FleetEntry| {
        vec![
            Some(entry.outlook.replace('_', " ")),
            Some(entry.database.clone()),
            Some(entry.app.clone()),
            entry.release.clone(),
            entry.reason.clone(),
            entry.scheduled_for.clone(),
            entry.required_by.clone(),
            entry.because.clone(),
        ]
    };
    let rows: Vec<_> = fleet.iter().map(row).collect();
    render_table(
        &[
            "Outlook",
            "Database",
            "App",
            "Release",
            "Reason",
            "Scheduled for",
            "Required by",
            "Because",
        ],
        &rows,
    )
}
