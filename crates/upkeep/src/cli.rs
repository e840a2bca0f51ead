//! The command line as people type it: names, arguments, help. Nothing here is done.
//!
//! Names of client commands are Heroku's, colons included.

mod addons;
mod apps;
mod calendars;
mod freezes;
mod maintenances;
mod notices;
mod pg;
mod plans;
mod releases;
mod role;

use camino::Utf8PathBuf;
use clap::builder::NonEmptyStringValueParser as NonEmpty;
use clap::{Args, Parser, Subcommand};

pub use addons::{AddonsAttach, AddonsCreate, AddonsDestroy, AddonsDetach, AddonsList, AddonsWait};
pub use apps::{AppsCreate, Config, ConfigGet};
pub use calendars::{CalendarsAdd, CalendarsRemove};
pub use freezes::{FreezesAdd, FreezesImport, FreezesRemove};
pub use maintenances::{
    MaintenanceCancel, MaintenanceHistory, MaintenanceInfo, MaintenancePreflight,
    MaintenanceRequire, MaintenanceRequireNoMore, MaintenanceRun, MaintenanceSchedule,
    MaintenanceWait, MaintenanceWindow, MaintenanceWindowUpdate, MaintenancesList,
};
pub use notices::{Notice, Notices, Recipient, RecipientsAdd};
pub use pg::{PgInfo, PgPromote, PgUnfollow, PgWait};
pub use plans::Plans;
pub use releases::{ReleasesAdd, ReleasesInfo, ReleasesRemove};
pub use role::{Role, Up};

const AFTER_HELP: &str = "\
Begin with `upkeep up`, then, in another terminal:
  upkeep apps:create example-app
  upkeep addons:create heroku-postgresql:standard-0 -a example-app --wait
  upkeep data:maintenances:run DATABASE -a example-app --confirm example-app --wait

Results are written to stdout, everything else to stderr. With --json the last line of stdout is one
JSON object or array, in the words of the HTTP API.

Server:     UPKEEP_URL and UPKEEP_TOKEN, or what `upkeep up` left in its directory
Exit code:  0 done, 1 it did not come about, 2 wrong usage or refused, 3 a person has to look,
            4 the server cannot be reached, 70 a defect of Upkeep";

/// Maintenance for PostgreSQL that applications do not notice.
#[derive(Debug, Parser)]
#[command(name = "upkeep", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Print the result as JSON, on the last line of stdout
    #[arg(short = 'j', long, global = true)]
    pub json: bool,
    /// Directory of `upkeep up` [default: ./.upkeep; where that is missing, what asks a server looks into ~/.upkeep]
    #[arg(long, global = true, env = "UPKEEP_DIR", hide_env_values = true)]
    pub dir: Option<Utf8PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: server, agent and endpoint, as separate processes. It
    /// remembers its options in its directory; given anew they replace
    Up(Up),
    /// End what `upkeep up` started in this directory, PostgreSQL included; nothing is removed
    Down,
    /// Role: the HTTP API and the engine
    Server(Role),
    /// Role: runs PostgreSQL on this host
    Agent(Role),
    /// Role: carries client traffic
    Endpoint(Role),
    #[command(flatten)]
    Client(ClientCommand),
}

/// What is asked of a server.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// List apps
    #[command(name = "apps")]
    Apps,
    /// Create an app
    #[command(name = "apps:create")]
    AppsCreate(AppsCreate),
    /// List databases, of one app or all
    #[command(name = "addons")]
    Addons(AddonsList),
    /// Create a database
    #[command(name = "addons:create")]
    AddonsCreate(AddonsCreate),
    /// Destroy a database and all that is in it
    #[command(name = "addons:destroy")]
    AddonsDestroy(AddonsDestroy),
    /// Wait until databases that are being created are there
    #[command(name = "addons:wait")]
    AddonsWait(AddonsWait),
    /// Give an app a database under one more name
    #[command(name = "addons:attach")]
    AddonsAttach(AddonsAttach),
    /// Take a name of a database away from an app
    #[command(name = "addons:detach")]
    AddonsDetach(AddonsDetach),
    /// Show the config vars of an app
    #[command(name = "config")]
    Config(Config),
    /// Show the values of config vars
    #[command(name = "config:get")]
    ConfigGet(ConfigGet),
    /// Show databases as they run
    #[command(name = "pg:info", visible_alias = "pg")]
    PgInfo(PgInfo),
    /// Make a follower a database of its own, which takes writes
    #[command(name = "pg:unfollow")]
    PgUnfollow(PgUnfollow),
    /// Wait until databases are available
    #[command(name = "pg:wait")]
    PgWait(PgWait),
    /// Make a database the DATABASE_URL of an app; what was it keeps another name
    #[command(name = "pg:promote")]
    PgPromote(PgPromote),
    /// List the maintenances of an app's databases
    #[command(name = "data:maintenances")]
    Maintenances(MaintenancesList),
    /// Show the maintenance of a database
    #[command(name = "data:maintenances:info")]
    MaintenanceInfo(MaintenanceInfo),
    /// Look for what would stand in the way of a maintenance; changes nothing, exits with 1 if it is blocked
    #[command(name = "data:maintenances:preflight")]
    MaintenancePreflight(MaintenancePreflight),
    /// Run a maintenance now
    #[command(name = "data:maintenances:run")]
    MaintenanceRun(MaintenanceRun),
    /// Call off the maintenance that runs: as long as it can be undone, everything stays as it was
    #[command(name = "data:maintenances:cancel")]
    MaintenanceCancel(MaintenanceCancel),
    /// Watch the maintenance that runs, to its end
    #[command(name = "data:maintenances:wait")]
    MaintenanceWait(MaintenanceWait),
    /// Show the maintenance window of a database
    #[command(name = "data:maintenances:window")]
    MaintenanceWindow(MaintenanceWindow),
    /// Choose the maintenance window of a database; what is planned moves along
    #[command(name = "data:maintenances:window:update")]
    MaintenanceWindowUpdate(MaintenanceWindowUpdate),
    /// Choose the week of the maintenance that is planned
    #[command(name = "data:maintenances:schedule")]
    MaintenanceSchedule(MaintenanceSchedule),
    /// Require a maintenance of a database: it is planned for its next window
    #[command(name = "maintenances:require")]
    MaintenanceRequire(MaintenanceRequire),
    /// Require it no more: what is not due for another reason is withdrawn
    #[command(name = "maintenances:unrequire")]
    MaintenanceRequireNoMore(MaintenanceRequireNoMore),
    /// List the past maintenances of a database
    #[command(name = "data:maintenances:history")]
    MaintenanceHistory(MaintenanceHistory),
    /// List the plans that databases can be on
    #[command(name = "plans")]
    Plans(Plans),
    /// Print the built-in policy of maintenances, in the format of `upkeep up --policy`
    #[command(name = "policy")]
    Policy,
    /// List every database with what is due, scheduled, blocked or overdue; what needs a person first
    #[command(name = "fleet")]
    Fleet,
    /// List the calendars that others subscribe to
    #[command(name = "calendars")]
    Calendars,
    /// Add a calendar of what is planned and done, and print where to subscribe to it
    #[command(name = "calendars:add")]
    CalendarsAdd(CalendarsAdd),
    /// Remove a calendar; who has subscribed to it reads nothing any more
    #[command(name = "calendars:remove")]
    CalendarsRemove(CalendarsRemove),
    /// List the freezes: times in which nothing is maintained by itself
    #[command(name = "freezes")]
    Freezes,
    /// Add a freeze; what is planned within it is moved
    #[command(name = "freezes:add")]
    FreezesAdd(FreezesAdd),
    /// Add the events of a calendar as freezes, all of them or none
    #[command(name = "freezes:import")]
    FreezesImport(FreezesImport),
    /// Remove a freeze
    #[command(name = "freezes:remove")]
    FreezesRemove(FreezesRemove),
    /// List what people were told, what is on its way to them, and what did not reach them
    #[command(name = "notices")]
    Notices(Notices),
    /// Show what a notice says, and what became of it
    #[command(name = "notices:info")]
    NoticesInfo(Notice),
    /// Try at once what of a notice has not been sent
    #[command(name = "notices:retry")]
    NoticesRetry(Notice),
    /// Print an example of a file for `upkeep up --notices`: mail server, and whom webhooks may reach
    #[command(name = "notices:settings")]
    NoticesSettings,
    /// List who is told of maintenances, besides the owner
    #[command(name = "recipients")]
    Recipients,
    /// Tell somebody of maintenances: a mail address, or a webhook by its URL
    #[command(name = "recipients:add")]
    RecipientsAdd(RecipientsAdd),
    /// Tell somebody no more
    #[command(name = "recipients:remove")]
    RecipientsRemove(Recipient),
    /// Send something to a recipient now, and say whether it was taken
    #[command(name = "recipients:test")]
    RecipientsTest(Recipient),
    /// List the PostgreSQL releases that databases can run on
    #[command(name = "releases")]
    Releases,
    /// Add a PostgreSQL release
    #[command(name = "releases:add")]
    ReleasesAdd(ReleasesAdd),
    /// Show a PostgreSQL release
    #[command(name = "releases:info")]
    ReleasesInfo(ReleasesInfo),
    /// Remove a PostgreSQL release that no database runs on
    #[command(name = "releases:remove")]
    ReleasesRemove(ReleasesRemove),
}

/// An app has to be said.
#[derive(Clone, Debug, Args)]
pub struct App {
    /// App, by name or id
    #[arg(short = 'a', long, env = "UPKEEP_APP", hide_env_values = true, value_parser = NonEmpty::new())]
    pub app: String,
}

/// An app may be said.
#[derive(Clone, Debug, Args)]
pub struct AnyApp {
    /// App, by name or id
    #[arg(short = 'a', long, env = "UPKEEP_APP", hide_env_values = true, value_parser = NonEmpty::new())]
    pub app: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn colon_commands_are_words_of_their_own() {
        let cli = Cli::parse_from([
            "upkeep",
            "data:maintenances:run",
            "DATABASE",
            "-a",
            "shop",
            "--confirm",
            "shop",
        ]);
        let Command::Client(ClientCommand::MaintenanceRun(run)) = cli.command else {
            panic!()
        };
        assert_eq!(
            (run.database.as_str(), run.confirm.as_deref()),
            ("DATABASE", Some("shop"))
        );
    }

    #[test]
    fn a_release_is_added_from_one_place_only() {
        for args in [
            vec![],
            vec!["--debian", "15.20", "--system", "/x"],
            vec!["--debian", "15.20", "--sha256", "0"],
        ] {
            let all = ["upkeep", "releases:add"]
                .into_iter()
                .chain(args.iter().copied());
            assert!(Cli::try_parse_from(all).is_err(), "{args:?}");
        }
    }
}
