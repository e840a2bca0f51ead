//! Arguments of the roles.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use upkeep_domain::instance::FenceMeans;

use crate::config::DEFAULT_SOAK_SECONDS;

#[derive(Clone, Debug, Args)]
pub struct Up {
    /// Address of the HTTP API
    #[arg(long, default_value = "127.0.0.1:5055")]
    pub listen: String,
    /// Address where applications connect to their databases
    #[arg(long, default_value = "127.0.0.1:5432")]
    pub endpoint_listen: String,
    /// Host and port in connection strings, when applications reach the endpoint under another name
    #[arg(long, value_name = "HOST:PORT", value_parser = host_and_port)]
    pub advertise: Option<String>,
    /// User that runs PostgreSQL when Upkeep is root [default: postgres]
    #[arg(long, value_name = "USER")]
    pub run_as: Option<String>,
    /// Table of the plans, in the format of `upkeep plans --defaults` [default: built in]
    #[arg(
        long,
        value_name = "FILE",
        env = "UPKEEP_PLANS",
        hide_env_values = true
    )]
    pub plans: Option<Utf8PathBuf>,
    /// How long a standby is watched on a new release before a failover sends anybody to it
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_SOAK_SECONDS)]
    pub soak_seconds: u64,
    /// How long an old instance is kept, stopped, after a changeover
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub retire_grace_seconds: u64,
    /// How a primary is taken out at a switch: its processes are frozen, or it is shut down, which
    /// clients wait longer for
    #[arg(long, value_enum, default_value_t = Fence::Freeze)]
    pub fence: Fence,
}

fn host_and_port(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':');
    match parts.map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(_))) if !host.is_empty() && !host.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("it takes a host and a port, such as db.example.com:5432".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Fence {
    Freeze,
    CleanStop,
}

impl From<Fence> for FenceMeans {
    fn from(fence: Fence) -> Self {
        match fence {
            Fence::Freeze => Self::Freeze,
            Fence::CleanStop => Self::CleanStop,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct Role {
    /// Configuration that `upkeep up` wrote
    #[arg(long, value_name = "FILE")]
    pub config: Utf8PathBuf,
}
