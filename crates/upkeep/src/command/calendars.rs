//! `calendars`, `calendars:add`, `calendars:remove`.

use upkeep_api::body::{AddCalendar, Calendar};
use upkeep_api::client::Client;

use crate::cli::{CalendarsAdd, CalendarsRemove};
use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let calendars = client.calendars().await?;
    let nothing = "There are no calendars. `upkeep calendars:add` adds one.";
    out.list(&calendars, nothing, render_calendars);
    Ok(Exit::Done)
}

fn render_calendars(calendars: &[Calendar]) -> String {
    let row = |calendar: &Calendar| {
        let whose = calendar.app.clone();
        let cells = [
            calendar.id.to_string(),
            whose.unwrap_or_else(|| "the fleet".to_owned()),
            calendar.added_by.clone(),
            calendar.added_at.clone(),
        ];
        cells.map(Some).into()
    };
    let rows: Vec<_> = calendars.iter().map(row).collect();
    render_table(&["Id", "Of", "Added by", "Added at"], &rows)
}

pub(super) async fn add(
    client: &Client,
    args: CalendarsAdd,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let wish = AddCalendar { app: args.app };
    let adding = client.add_calendar(&wish);
    let mut added = out.doing("Adding calendar", adding).await?;
    let address = added.feed.as_deref().map(|path| client.address_of(path));
    match address {
        Some(Some(address)) => added.feed = Some(address),
        _ => out.say("Behind the address of the server, such as http://upkeep.example.com:5055:"),
    }
    out.say("Whoever has this address can read the calendar. It is not shown again.");
    out.result(&added, |added| added.feed.clone().unwrap_or_default());
    Ok(Exit::Done)
}

pub(super) async fn remove(
    client: &Client,
    args: CalendarsRemove,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let doing = format!("Removing calendar {}", args.id);
    let removed = out.doing(&doing, client.remove_calendar(args.id)).await?;
    out.result(&removed, |_| String::new());
    Ok(Exit::Done)
}
