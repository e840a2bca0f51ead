//! Arguments about maintenances.

use clap::Args;

use super::{AnyApp, App};

#[derive(Clone, Debug, Args)]
pub struct MaintenancesList {
    #[command(flatten)]
    pub app: App,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceInfo {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceRun {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// Name of the app that owns it; needed unless the app is in maintenance mode
    #[arg(short, long, value_name = "APP")]
    pub confirm: Option<String>,
    /// How: `restart` in place, `changeover` to a replacement, or `failover` to the standby
    /// [default: what fits the database and what is due]
    #[arg(long)]
    pub method: Option<String>,
    /// PostgreSQL release to run on afterwards [default: the newest minor release there is; of a
    /// restart the present one]
    #[arg(long)]
    pub release: Option<String>,
    /// Go on though this check would stop it; with the reason in --because. Can be repeated
    #[arg(long, value_name = "CHECK", requires = "because")]
    pub waive: Vec<String>,
    /// Why what was waived does not matter: once for all of them, or once for each
    #[arg(long, value_name = "REASON", requires = "waive")]
    pub because: Vec<String>,
    /// Watch it to its end, then show what clients felt
    #[arg(short, long)]
    pub wait: bool,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenancePreflight {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// How it would be carried out: `restart`, `changeover` or `failover` [default: what fits the
    /// database and what is due]
    #[arg(long)]
    pub method: Option<String>,
    /// PostgreSQL release to look at it for [default: the newest minor release there is; of a
    /// restart the present one]
    #[arg(long)]
    pub release: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceRequire {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// Why, for those who are told
    #[arg(long, visible_alias = "reason", value_name = "REASON")]
    pub because: String,
    /// Do it now, outside of its window and whatever freezes say
    #[arg(long)]
    pub emergency: bool,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceRequireNoMore {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceCancel {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// Watch it until everything is undone
    #[arg(short, long)]
    pub wait: bool,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceWait {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceHistory {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// How many of the latest
    #[arg(short, long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub num: u32,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceWindow {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceWindowUpdate {
    /// Name, id, attachment or config var of the database
    pub database: String,
    /// Day of the week: `sunday`, `sun`
    pub day_of_week: String,
    /// When it begins, on the hour or on the half: `13:30`, `1:30PM`
    pub time_of_day: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// Time zone of the day and the time, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceSchedule {
    /// Name, id, attachment or config var of the database
    pub database: String,
    #[command(flatten)]
    pub app: AnyApp,
    /// How many weeks later than it is planned for; fewer than none is sooner
    #[arg(
        long,
        default_value = "2",
        allow_negative_numbers = true,
        conflicts_with = "week"
    )]
    pub weeks: String,
    /// A date in the week that is wanted, such as 2030-01-20; weeks begin on Sunday
    #[arg(long, value_name = "DATE")]
    pub week: Option<String>,
}
