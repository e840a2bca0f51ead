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
    /// Longest time in seconds until it is looked again, 20 at most
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub wait_interval: u64,
}

#[derive(Clone, Debug, Args)]
pub struct PgPromote {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: App,
    /// Name to give it in the app
    #[arg(long = "as", value_name = "NAME", default_value = "DATABASE")]
    pub name: String,
}
