//! What the first `upkeep up` in a directory makes, and later ones find.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use upkeep_agent::client::AgentClient;
use upkeep_domain::hold::HoldLimits;
use upkeep_domain::host_command::{Answer, CommandId, Envelope, Fence, HostCommand, HostQuery};
use upkeep_domain::id::{HostId, InstanceId, WorkflowId};
use upkeep_domain::ports::{Hosts, Random};
use upkeep_domain::release::{AddFrom, AddRelease};

use super::state::STATE_URL;
use super::{UpOptions, absolute};
use crate::config::Config;
use crate::role::doors::{Machine, hex, random_bytes};
use crate::role::process::holder;

/// Debian's and others' places of installed servers; each sub-folder is a major version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Makes the directory and its folders where they are missing; says where it is.
pub(super) fn make_dirs(options: &UpOptions) -> Result<Utf8PathBuf> {
    let dir = absolute(&options.dir)?;
    // PostgreSQL runs as another user and has to reach its data; secrets are files of mode 0600.
    make_dir(&dir, 0o755)?;
    for (name, mode) in [
        ("agent", 0o755),
        ("endpoint", 0o700),
        ("control", 0o700),
        ("run", 0o700),
        ("log", 0o700),
    ] {
        make_dir(&dir.join(name), mode)?;
    }
    Ok(dir)
}

/// Writes the files that all roles read. The caller holds the lock of `up`: they are its own.
pub(super) fn configure(
    options: &UpOptions,
    dir: Utf8PathBuf,
    state_elsewhere: bool,
) -> Result<Config> {
    let file = Config::file(&dir);
    let known = if file.exists() {
        Some(Config::read(&file)?)
    } else {
        None
    };
    if let Some(known) = &known {
        need_same_state(known.state_elsewhere, state_elsewhere)?;
    }
    let before = known.as_ref().map_or((None, None), |known| {
        (
            Some(known.listen.clone()),
            Some(known.endpoint_listen.clone()),
        )
    });
    let config = Config {
        host: known
            .as_ref()
            .map_or_else(|| HostId(Machine.uuid()), |known| known.host),
        state_instance: known
            .as_ref()
            .map_or_else(|| InstanceId(Machine.uuid()), |known| known.state_instance),
        hold: known.map_or_else(HoldLimits::default, |known| known.hold),
        listen: options.listen.clone(),
        endpoint_listen: options.endpoint_listen.clone(),
        advertise: options.advertise.clone(),
        run_as: options.run_as.clone(),
        plans: options.plans.as_deref().map(absolute).transpose()?,
        soak_seconds: options.soak_seconds,
        retire_grace_seconds: options.retire_grace_seconds,
        fence: options.fence,
        state_elsewhere,
        dir,
    };
    let addresses = [
        ("server", &config.listen, before.0),
        ("endpoint", &config.endpoint_listen, before.1),
    ];
    for (role, listen, before) in addresses {
        need_address(&config, role, listen, before.as_deref())?;
    }
    config.read_plans()?;
    config.write()?;
    let config = Config::read(&Config::file(&config.dir))?;
    write_token(&config)?;
    Ok(config)
}

/// With another state than before, its databases would run on and nobody would know of them.
fn need_same_state(before: bool, now: bool) -> Result<()> {
    match (before, now) {
        (true, false) => bail!(
            "this directory has its state in the PostgreSQL that `{STATE_URL}` named\nhint: set it as before"
        ),
        (false, true) => bail!(
            "this directory has its state in an instance of its own, not where `{STATE_URL}` says\nhint: unset it, or use another directory"
        ),
        _ => Ok(()),
    }
}

/// Free, or held by a role of ours that an earlier `up` left behind: it is adopted as it is.
fn need_address(config: &Config, role: &str, listen: &str, before: Option<&str>) -> Result<()> {
    if holder(&config.pid_file(role)).is_some() {
        if before == Some(listen) {
            return Ok(());
        }
        bail!(
            "the {role} of an earlier `upkeep up` still runs on `{}`\nhint: use the same address, or `upkeep down` first",
            before.unwrap_or("another address")
        );
    }
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "cannot listen on `{listen}`: {error}\nhint: choose other addresses with --listen and --endpoint-listen"
        ),
    }
}

fn make_dir(dir: &Utf8Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(dir)
        .with_context(|| format!("make the directory `{dir}`"))
}

/// The owner's token, once; the server stores its hash only.
fn write_token(config: &Config) -> Result<()> {
    let file = token_file(config);
    if !file.exists() {
        write_private(&file, &hex(&random_bytes::<32>()))?;
    }
    let token = std::fs::read_to_string(&file).with_context(|| format!("read `{file}`"))?;
    let client = json!({ "url": format!("http://{}", config.listen), "token": token.trim() });
    write_private(&config.dir.join("client.json"), &client.to_string())
}

pub fn token_file(config: &Config) -> Utf8PathBuf {
    config.dir.join("token")
}

fn write_private(file: &Utf8Path, text: &str) -> Result<()> {
    let mut open = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("write `{file}`"))?;
    writeln!(open, "{text}").with_context(|| format!("write `{file}`"))
}

/// An empty store gets what the machine has installed: there must be one for our own state.
pub(super) async fn add_installed_releases(config: &Config, agent: &AgentClient) -> Result<()> {
    match agent.query(config.host, &HostQuery::Releases).await? {
        Answer::Releases { releases } if releases.is_empty() => {}
        Answer::Releases { .. } => return Ok(()),
        other => bail!("unexpected answer {other:?}"),
    }
    let mut added = 0;
    let mut refused = Vec::new();
    for dir in installed() {
        let source = AddRelease {
            name: None,
            from: AddFrom::System {
                dir: dir.clone().into(),
            },
        };
        let id = CommandId {
            workflow: WorkflowId(Machine.uuid()),
            step: "up".to_owned(),
            visit: 1,
            part: 0,
        };
        let envelope = Envelope {
            id,
            fence: Fence(0),
            command: HostCommand::AddRelease { source },
        };
        match agent.command(config.host, &envelope).await {
            Ok(_) => added += 1,
            Err(error) => refused.push(format!("\n  `{dir}`: {error}")),
        }
    }
    if added == 0 {
        bail!(
            "no PostgreSQL release can be used on this machine{}\nhint: install one, for example with: apt-get install postgresql-15",
            refused.concat()
        );
    }
    Ok(())
}

fn installed() -> Vec<Utf8PathBuf> {
    let Ok(entries) = Path::new(INSTALLED).read_dir() else {
        return Vec::new();
    };
    let mut dirs: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Utf8PathBuf::from_path_buf(entry.path()).ok())
        .filter(|dir| dir.join("bin/postgres").exists())
        .collect();
    dirs.sort();
    dirs
}
