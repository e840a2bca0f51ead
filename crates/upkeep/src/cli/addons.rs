//! Arguments about databases as add-ons.

use clap::Args;

use super::{AnyApp, App};

#[derive(Clone, Debug, Args)]
pub struct AddonsList {
    #[command(flatten)]
    pub app: AnyApp,
}

#[derive(Clone, Debug, Args)]
pub struct AddonsCreate {
    /// Plan, such as heroku-postgresql:standard-0
    #[arg(value_name = "SERVICE:PLAN")]
    pub plan: String,
    #[command(flatten)]
    pub app: App,
    /// Name of the database; without one the server makes one up
    #[arg(long)]
    pub name: Option<String>,
    /// Name under which the app has it, such as REPORTS: its config var is REPORTS_URL [default: DATABASE, then colours]
    #[arg(long = "as", value_name = "NAME")]
    pub attach_as: Option<String>,
    /// PostgreSQL release to begin with [default: the newest there is]
    #[arg(long)]
    pub release: Option<String>,
    /// Database that it is to follow: name, config var, app::DATABASE or URL
    #[arg(long, value_name = "DATABASE")]
    pub follow: Option<String>,
    /// Watch until it is there
    #[arg(short, long)]
    pub wait: bool,
    /// The same options as Heroku's command line takes them: -- --follow DATABASE
    #[arg(last = true, value_name = "OPTIONS")]
    pub config: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct AddonsDestroy {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// Name of the app that owns it: everything in the database will be lost
    #[arg(short, long, value_name = "APP")]
    pub confirm: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct AddonsAttach {
    /// Name, id, attachment or config var of the database; APP::NAME for one of another app
    pub database: String,
    #[command(flatten)]
    pub app: App,
    /// Name of the attachment, such as REPORTS; without one the server finds a colour
    #[arg(long = "as", value_name = "NAME")]
    pub name: Option<String>,
    /// Name of the app, if what is attached under that name may give way
    #[arg(short, long, value_name = "APP")]
    pub confirm: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct AddonsDetach {
    /// Name or id of the attachment
    pub attachment: String,
    #[command(flatten)]
    pub app: App,
}

#[derive(Clone, Debug, Args)]
pub struct AddonsWait {
    /// Name, id, attachment or config var of the database [default: all that are being created]
    pub database: Option<String>,
    #[command(flatten)]
    pub app: AnyApp,
}
