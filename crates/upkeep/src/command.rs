//! The client commands: each asks the server, and shows the answer. No rule of the product is here.

mod addons;
mod apps;
mod attachments;
mod calendars;
mod config;
mod connection;
mod find;
mod fleet;
mod follow;
mod freezes;
mod maintenances;
mod notices;
mod pg;
mod plans;
mod policy;
mod recipients;
mod releases;

use upkeep_api::client::Client;

use crate::cli::{ClientCommand, Global, Plans};
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub use connection::default_dir;

/// Runs one command to its end. Whatever went wrong has been said when it returns.
pub async fn run(command: ClientCommand, global: &Global, out: &mut Output) -> Exit {
    match command {
        ClientCommand::Plans(Plans { defaults: true }) => return plans::defaults(out),
        ClientCommand::Policy => return policy::defaults(out),
        ClientCommand::NoticesSettings => return notices::settings(out),
        _ => {}
    }
    let result = match connection::connect(global) {
        Ok(client) => dispatch(command, &client, out).await,
        Err(failure) => Err(failure),
    };
    result.unwrap_or_else(|failure| out.fail(&failure))
}

async fn dispatch(
    command: ClientCommand,
    client: &Client,
    out: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        ClientCommand::Apps => apps::list(client, out).await,
        ClientCommand::AppsCreate(args) => apps::create(client, args, out).await,
        ClientCommand::Addons(args) => addons::list(client, args, out).await,
        ClientCommand::AddonsCreate(args) => addons::create(client, args, out).await,
        ClientCommand::AddonsDestroy(args) => addons::destroy(client, args, out).await,
        ClientCommand::AddonsWait(args) => addons::wait(client, args, out).await,
        ClientCommand::AddonsAttach(args) => attachments::attach(client, args, out).await,
        ClientCommand::AddonsDetach(args) => attachments::detach(client, args, out).await,
        ClientCommand::Config(args) => config::list(client, args, out).await,
        ClientCommand::ConfigGet(args) => config::get(client, args, out).await,
        ClientCommand::PgInfo(args) => pg::info(client, args, out).await,
        ClientCommand::PgUnfollow(args) => pg::unfollow(client, args, out).await,
        ClientCommand::PgWait(args) => pg::wait(client, args, out).await,
        ClientCommand::PgPromote(args) => attachments::promote(client, args, out).await,
        ClientCommand::Maintenances(args) => maintenances::list(client, args, out).await,
        ClientCommand::MaintenanceInfo(args) => maintenances::info(client, args, out).await,
        ClientCommand::MaintenancePreflight(args) => {
            maintenances::preflight(client, args, out).await
        }
        ClientCommand::MaintenanceRun(args) => maintenances::run(client, args, out).await,
        ClientCommand::MaintenanceCancel(args) => maintenances::cancel(client, args, out).await,
        ClientCommand::MaintenanceWait(args) => maintenances::wait(client, args, out).await,
        ClientCommand::MaintenanceWindow(args) => maintenances::window(client, args, out).await,
        ClientCommand::MaintenanceWindowUpdate(args) => {
            maintenances::update_window(client, args, out).await
        }
        ClientCommand::MaintenanceSchedule(args) => maintenances::schedule(client, args, out).await,
        ClientCommand::MaintenanceRequire(args) => maintenances::require(client, args, out).await,
        ClientCommand::MaintenanceRequireNoMore(args) => {
            maintenances::require_no_more(client, args, out).await
        }
        ClientCommand::MaintenanceHistory(args) => maintenances::history(client, args, out).await,
        ClientCommand::Plans(_) => plans::list(client, out).await,
        ClientCommand::Policy => Ok(policy::defaults(out)),
        ClientCommand::Fleet => fleet::list(client, out).await,
        ClientCommand::Calendars => calendars::list(client, out).await,
        ClientCommand::CalendarsAdd(args) => calendars::add(client, args, out).await,
        ClientCommand::CalendarsRemove(args) => calendars::remove(client, args, out).await,
        ClientCommand::Freezes => freezes::list(client, out).await,
        ClientCommand::FreezesAdd(args) => freezes::add(client, args, out).await,
        ClientCommand::FreezesImport(args) => freezes::import(client, args, out).await,
        ClientCommand::FreezesRemove(args) => freezes::remove(client, args, out).await,
        ClientCommand::Notices(args) => notices::list(client, args, out).await,
        ClientCommand::NoticesInfo(args) => notices::info(client, args, out).await,
        ClientCommand::NoticesRetry(args) => notices::retry(client, args, out).await,
        ClientCommand::NoticesSettings => Ok(notices::settings(out)),
        ClientCommand::Recipients => recipients::list(client, out).await,
        ClientCommand::RecipientsAdd(args) => recipients::add(client, args, out).await,
        ClientCommand::RecipientsRemove(args) => recipients::remove(client, args, out).await,
        ClientCommand::RecipientsTest(args) => recipients::test(client, args, out).await,
        ClientCommand::Releases => releases::list(client, out).await,
        ClientCommand::ReleasesAdd(args) => releases::add(client, args, out).await,
        ClientCommand::ReleasesInfo(args) => releases::info(client, args, out).await,
        ClientCommand::ReleasesRemove(args) => releases::remove(client, args, out).await,
    }
}

#[cfg(test)]
mod tests;
