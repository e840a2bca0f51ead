//! Arguments about what people are told, and who is told.

use clap::Args;
use clap::builder::NonEmptyStringValueParser as NonEmpty;

use super::AnyApp;

#[derive(Clone, Debug, Args)]
pub struct Notices {
    #[command(flatten)]
    pub app: AnyApp,
    /// Those that are `pending`, `sent` or `failed` for somebody
    #[arg(long)]
    pub state: Option<String>,
    /// So many, the newest ones
    #[arg(short = 'n', long = "num", value_name = "COUNT", default_value_t = 25)]
    pub limit: u32,
}

#[derive(Clone, Debug, Args)]
pub struct Notice {
    /// Its number, as `upkeep notices` shows it
    pub id: i64,
}

/// Whose it is has to be said: an app in the environment must not turn one of the fleet into one of its own.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["app", "fleet"]))]
pub struct RecipientsAdd {
    /// A mail address, or the URL of a webhook
    #[arg(value_parser = NonEmpty::new())]
    pub address: String,
    /// Of the databases of an app, by name or id
    #[arg(short = 'a', long, value_parser = NonEmpty::new())]
    pub app: Option<String>,
    /// Of every database
    #[arg(long)]
    pub fleet: bool,
}

#[derive(Clone, Debug, Args)]
pub struct Recipient {
    /// Its number, as `upkeep recipients` shows it
    pub id: i64,
}
