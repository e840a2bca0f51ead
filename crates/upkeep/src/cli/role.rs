//! Arguments of the roles.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::notice::Address;

// What is not said is as it was the last time in this directory, and at first as in brackets.
#[derive(Clone, Debug, Args)]
pub struct Up {
    /// Address of the HTTP API [default: 127.0.0.1:5055]
    #[arg(long)]
    pub listen: Option<String>,
    /// Address where applications connect to their databases [default: 127.0.0.1:5432]
    #[arg(long)]
    pub endpoint_listen: Option<String>,
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
    /// Policy of maintenances, in the format of `upkeep policy` [default: built in]
    #[arg(
        long,
        value_name = "FILE",
        env = "UPKEEP_POLICY",
        hide_env_values = true
    )]
    pub policy: Option<Utf8PathBuf>,
    /// How notices reach people: mail server and webhooks, in the format of `upkeep notices:settings`
    /// [default: no mail is sent]
    #[arg(
        long,
        value_name = "FILE",
        env = "UPKEEP_NOTICES",
        hide_env_values = true
    )]
    pub notices: Option<Utf8PathBuf>,
    /// Mail address of the owner, who is told of every maintenance [default: nobody]
    #[arg(long, value_name = "ADDRESS", value_parser = mail_address)]
    pub owner: Option<String>,
    /// How often it is looked for what has to be maintained [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub plan_every_seconds: Option<u64>,
    /// How long a standby is watched on a new release before a failover sends anybody to it
    /// [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub soak_seconds: Option<u64>,
    /// How long an old instance is kept, stopped, after a changeover [default: 600]
    #[arg(long, value_name = "SECONDS")]
    pub retire_grace_seconds: Option<u64>,
    /// How a primary is taken out at a switch: its processes are frozen, or it is shut down, which
    /// clients wait longer for [default: freeze]
    #[arg(long, value_enum)]
    pub fence: Option<Fence>,
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

fn mail_address(text: &str) -> Result<String, String> {
    match Address::typed(text) {
        Ok(Address::Mail(address)) => Ok(address),
        Ok(Address::Hook(_)) | Err(_) => {
            Err("it takes a mail address, such as ama@example.com".to_owned())
        }
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
