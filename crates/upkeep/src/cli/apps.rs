//! Arguments about apps and their config vars.

use clap::Args;

use super::App;

#[derive(Clone, Debug, Args)]
pub struct AppsCreate {
    /// Name; without one the server makes one up
    pub name: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Config {
    #[command(flatten)]
    pub app: App,
    /// Print for a shell: NAME='value'
    #[arg(short, long, conflicts_with = "json")]
    pub shell: bool,
}

#[derive(Clone, Debug, Args)]
pub struct ConfigGet {
    #[command(flatten)]
    pub app: App,
    /// Names, such as DATABASE_URL
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Print for a shell: NAME='value'
    #[arg(short, long, conflicts_with = "json")]
    pub shell: bool,
}
