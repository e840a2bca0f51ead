//! Arguments about times in which nothing is maintained.

use camino::Utf8PathBuf;
use clap::Args;
use clap::builder::NonEmptyStringValueParser as NonEmpty;

/// Whose it is has to be said: an app in the environment must not turn one of the fleet into one of its own.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["app", "fleet"]))]
pub struct FreezesAdd {
    /// For the databases of an app, by name or id
    #[arg(short = 'a', long, value_parser = NonEmpty::new())]
    pub app: Option<String>,
    /// For every database
    #[arg(long)]
    pub fleet: bool,
    /// When it begins: 2029-12-20, "2029-12-20 18:00", 12-20 (every year), "friday 16:00" (every week)
    #[arg(long, value_name = "WHEN", value_parser = NonEmpty::new())]
    pub from: String,
    /// When it ends; a day without a time is still in it
    #[arg(long, value_name = "WHEN", value_parser = NonEmpty::new())]
    pub to: String,
    /// Whose clocks are meant, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = NonEmpty::new())]
    pub zone: Option<String>,
    /// Why, for those who wonder
    #[arg(long, value_name = "REASON", value_parser = NonEmpty::new())]
    pub because: String,
}

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["app", "fleet"]))]
pub struct FreezesImport {
    /// An iCalendar file (.ics), or - for what comes through the pipe
    #[arg(value_name = "FILE")]
    pub file: Utf8PathBuf,
    /// For the databases of an app, by name or id
    #[arg(short = 'a', long, value_parser = NonEmpty::new())]
    pub app: Option<String>,
    /// For every database
    #[arg(long)]
    pub fleet: bool,
    /// Whose clocks are meant by events that do not say it, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = NonEmpty::new())]
    pub zone: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct FreezesRemove {
    /// Its number, as `upkeep freezes` shows it
    pub id: i64,
}
