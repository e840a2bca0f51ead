//! `data:maintenances:window`, `:window:update` and `:schedule`: when a database is maintained.

use serde_json::Value;
use upkeep_api::body::{Schedule, Scheduled, UpdateWindow, Window};
use upkeep_api::client::Client;

use crate::cli::{MaintenanceSchedule, MaintenanceWindow, MaintenanceWindowUpdate};
use crate::command::find;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Pair, render_pairs};

pub(crate) async fn window(
    client: &Client,
    args: MaintenanceWindow,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Fetching maintenance window for {}", addon.name);
    let window = out.doing(&doing, client.window(addon.id)).await?;
    out.result(&window, render_window);
    Ok(Exit::Done)
}

pub(crate) async fn update(
    client: &Client,
    args: MaintenanceWindowUpdate,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let (day, time) = (args.day_of_week, args.time_of_day);
    let doing = format!(
        "Setting maintenance window for {} to {day} {time}",
        addon.name
    );
    let wish = UpdateWindow {
        day_of_week: day,
        time_of_day: time,
        time_zone: args.zone,
    };
    let window = out
        .doing(&doing, client.update_window(addon.id, &wish))
        .await?;
    out.result(&window, render_window);
    Ok(Exit::Done)
}

pub(crate) async fn schedule(
    client: &Client,
    args: MaintenanceSchedule,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Scheduling maintenance for {}", addon.name);
    let wish = Schedule {
        delay_weeks: args.week.is_none().then_some(args.weeks),
        week: args.week,
    };
    let scheduled = out.doing(&doing, client.schedule(addon.id, &wish)).await?;
    out.result(&scheduled, |scheduled| {
        render_scheduled(&addon.name, scheduled)
    });
    Ok(Exit::Done)
}

/// Every key that is not null, in the order of the contract.
pub(crate) fn render_window(window: &Window) -> String {
    let Ok(Value::Object(keys)) = serde_json::to_value(window) else {
        unreachable!("a window is a JSON object")
    };
    let known = keys
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?)));
    let pairs: Vec<Pair> = known.map(|(key, value)| Pair::new(key, value)).collect();
    render_pairs(&pairs)
}

/// Heroku's words.
pub(crate) fn render_scheduled(name: &str, scheduled: &Scheduled) -> String {
    let to = scheduled.scheduled_for.as_deref().unwrap_or_default();
    match &scheduled.previously_scheduled_for {
        Some(from) => format!("Scheduled maintenance for {name} changed from {from} to {to}"),
        None => format!("Maintenance for {name} scheduled for {to}"),
    }
}
