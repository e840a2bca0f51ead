//! Arguments about databases as they run.

use clap::Args;

use super::App;

#[derive(Clone, Debug, Args)]
pub struct PgInfo {
    /// Name, id, attachment or config var of the database [default: all of the app]
    pub database: Option<String>,
    #[command(flatten)]
    pub app: App,
}

#[derive(Clone, Debug, Args)]
pub struct PgUnfollow {
    /// Name, id, attachment or config var of the follower
    pub database: String,
    #[command(flatten)]
    pub app: App,
    /// Name of the app that owns it: it cannot follow again
    #[arg(short, long, value_name = "APP")]
    pub confirm: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct PgWait {
    /// Name, id, attachment or config var of the database [default: all of the app]
    pub database: Option<String>,
    #[command(flatten)]
    pub app: App,
}
