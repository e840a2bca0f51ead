//! Arguments about calendars that others subscribe to.

use clap::Args;
use clap::builder::NonEmptyStringValueParser as NonEmpty;

/// Whose it is has to be said: an app in the environment must not turn one of the fleet into one of its own.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["app", "fleet"]))]
pub struct CalendarsAdd {
    /// Of the databases of an app, by name or id
    #[arg(short = 'a', long, value_parser = NonEmpty::new())]
    pub app: Option<String>,
    /// Of every database
    #[arg(long)]
    pub fleet: bool,
}

#[derive(Clone, Debug, Args)]
pub struct CalendarsRemove {
    /// Its number, as `upkeep calendars` shows it
    pub id: i64,
}
