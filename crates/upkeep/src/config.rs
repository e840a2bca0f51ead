//! What the roles of one machine share: one file, written by `upkeep up`, read by every role.
//!
//! It holds no secret. Tokens are files of their own, readable by their owner only.

use anyhow::{Context, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use upkeep_courier::{Courier, Settings};
use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::maintenance::Policy;
use upkeep_domain::plan::Plans;

const DEFAULT_LISTEN: &str = "127.0.0.1:5055";
const DEFAULT_ENDPOINT_LISTEN: &str = "127.0.0.1:5432";
const DEFAULT_OWNER: &str = "owner@localhost";
const DEFAULT_PLAN_EVERY_SECONDS: u64 = 60;
const DEFAULT_SOAK_SECONDS: u64 = 30;
const DEFAULT_RETIRE_GRACE_SECONDS: u64 = 600;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub dir: Utf8PathBuf,
    pub host: HostId,
    /// Where the API listens.
    pub listen: String,
    /// Where applications connect.
    pub endpoint_listen: String,
    /// Host and port in connection strings, when they differ from `endpoint_listen`.
    pub advertise: Option<String>,
    /// Who runs PostgreSQL when Upkeep is root.
    pub run_as: Option<String>,
    /// The table of plans; the built-in one when not said.
    #[serde(default)]
    pub plans: Option<Utf8PathBuf>,
    /// The policy of maintenances; the built-in one when not said.
    #[serde(default)]
    pub policy: Option<Utf8PathBuf>,
    /// How notices reach people; no mail is sent when not said.
    #[serde(default)]
    pub notices: Option<Utf8PathBuf>,
    /// Mail address of whoever owns the apps.
    #[serde(default = "default_owner")]
    pub owner: String,
    /// How often it is looked for what has to be maintained.
    #[serde(default = "default_plan_every_seconds")]
    pub plan_every_seconds: u64,
    /// The private instance that keeps Upkeep's own state; unused with `UPKEEP_STATE_URL`.
    pub state_instance: InstanceId,
    /// Our own state is in the PostgreSQL that `UPKEEP_STATE_URL` names.
    #[serde(default)]
    pub state_elsewhere: bool,
    /// How long an old instance is kept after a changeover.
    pub retire_grace_seconds: u64,
    /// How long a standby is watched on a new release before a failover sends anybody to it.
    #[serde(default = "default_soak_seconds")]
    pub soak_seconds: u64,
    pub hold: HoldLimits,
    /// How primaries are fenced on this host.
    #[serde(default)]
    pub fence: FenceMeans,
}

/// Nobody: no mail is sent there.
fn default_owner() -> String {
    DEFAULT_OWNER.to_owned()
}

/// Of directories that are older than the setting.
fn default_plan_every_seconds() -> u64 {
    DEFAULT_PLAN_EVERY_SECONDS
}

/// Of directories that are older than the setting.
fn default_soak_seconds() -> u64 {
    DEFAULT_SOAK_SECONDS
}

impl Config {
    /// Of a directory in which `upkeep up` has not run before.
    pub fn first(dir: Utf8PathBuf, host: HostId, state_instance: InstanceId) -> Self {
        Self {
            dir,
            host,
            listen: DEFAULT_LISTEN.to_owned(),
            endpoint_listen: DEFAULT_ENDPOINT_LISTEN.to_owned(),
            advertise: None,
            run_as: None,
            plans: None,
            policy: None,
            notices: None,
            owner: default_owner(),
            plan_every_seconds: DEFAULT_PLAN_EVERY_SECONDS,
            state_instance,
            state_elsewhere: false,
            retire_grace_seconds: DEFAULT_RETIRE_GRACE_SECONDS,
            soak_seconds: DEFAULT_SOAK_SECONDS,
            hold: HoldLimits::default(),
            fence: FenceMeans::default(),
        }
    }

    /// Host and port in connection strings.
    pub fn address_of_databases(&self) -> &str {
        self.advertise.as_deref().unwrap_or(&self.endpoint_listen)
    }

    /// Name of this server among servers: the same when it is started again.
    pub fn owner(&self) -> String {
        format!("server@{}", self.host)
    }

    pub fn file(dir: &Utf8Path) -> Utf8PathBuf {
        dir.join("config.toml")
    }

    pub fn agent_dir(&self) -> Utf8PathBuf {
        self.dir.join("agent")
    }

    pub fn endpoint_dir(&self) -> Utf8PathBuf {
        self.dir.join("endpoint")
    }

    pub fn agent_socket(&self) -> Utf8PathBuf {
        self.dir.join("control/agent.sock")
    }

    pub fn endpoint_socket(&self) -> Utf8PathBuf {
        self.dir.join("control/endpoint.sock")
    }

    pub fn pid_file(&self, role: &str) -> Utf8PathBuf {
        self.dir.join("run").join(format!("{role}.pid"))
    }

    pub fn log_file(&self, role: &str) -> Utf8PathBuf {
        self.dir.join("log").join(format!("{role}.log"))
    }

    /// # Errors
    /// With the line, the key, and what is allowed there.
    pub fn read_plans(&self) -> Result<Plans> {
        let Some(file) = &self.plans else {
            return Ok(Plans::defaults());
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("read `{file}`"))?;
        Plans::read(&text).with_context(|| format!("understand the plans in `{file}`"))
    }

    /// # Errors
    /// With the line, the key, and what is allowed there.
    pub fn read_policy(&self) -> Result<Policy> {
        let Some(file) = &self.policy else {
            return Ok(Policy::defaults());
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("read `{file}`"))?;
        Policy::read(&text).with_context(|| format!("understand the policy in `{file}`"))
    }

    /// # Errors
    /// With the line, the key, and what is allowed there; or with the file that is named and of no use.
    pub fn courier(&self) -> Result<Courier> {
        let Some(file) = &self.notices else {
            return Ok(Courier::without_settings());
        };
        let text = std::fs::read_to_string(file).with_context(|| format!("read `{file}`"))?;
        let settings = Settings::read(&text);
        let settings =
            settings.with_context(|| format!("understand the settings of notices in `{file}`"))?;
        Courier::new(settings).with_context(|| format!("use the settings of notices in `{file}`"))
    }

    pub fn read(file: &Utf8Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| format!("read `{file}`"))?;
        toml::from_str(&text).with_context(|| format!("understand `{file}`"))
    }

    pub fn write(&self) -> Result<()> {
        let file = Self::file(&self.dir);
        let aside = file.with_extension("toml.new");
        std::fs::write(&aside, toml::to_string(self)?)
            .with_context(|| format!("write `{aside}`"))?;
        std::fs::rename(&aside, &file).with_context(|| format!("put `{file}` in place"))
    }
}
