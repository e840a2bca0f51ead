//! What the first `upkeep up` in a directory writes and later ones find: options, addresses, the token,
//! and the releases that the machine has.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use upkeep_agent::client::AgentClient;
use upkeep_agent::command::RunAs;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{Answer, CommandId, Envelope, Fence, HostCommand, HostQuery};
use upkeep_domain::id::{HostId, InstanceId, WorkflowId};
use upkeep_domain::ports::{Hosts, Random};
use upkeep_domain::release::{AddFrom, AddRelease};

use super::state::STATE_URL;
use super::{UpOptions, absolute};
use crate::config::Config;
use crate::exit::Failure;
use crate::role::doors::{Machine, hex, random_bytes};
use crate::role::process::holder;

/// Debian's and others' places of installed servers; each sub-folder is a major version.
const INSTALLED: &str = "/usr/lib/postgresql";

/// Writes the files that all roles read: what was asked for, and else what held the last time. The
/// caller holds the lock of `up`: they are its own.
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
    let mut config = match &known {
        Some(known) => Config {
            dir,
            ..known.clone()
        },
        None => Config::first(dir, HostId(Machine.uuid()), InstanceId(Machine.uuid())),
    };
    config.state_elsewhere = state_elsewhere;
    replace(&mut config, options)?;
    let run_as = RunAs::resolve(config.run_as.as_deref());
    run_as.map_err(|error| Failure::refused(ErrorChain(&error).to_string()))?;
    let plans = config.read_plans();
    plans.map_err(|error| Failure::refused(format!("{error:#}")))?;
    let policy = config.read_policy();
    policy.map_err(|error| Failure::refused(format!("{error:#}")))?;
    let courier = config.courier();
    courier.map_err(|error| Failure::refused(format!("{error:#}")))?;
    for (role, listen) in [
        ("server", &config.listen),
        ("endpoint", &config.endpoint_listen),
    ] {
        need_address(&config, known.as_ref(), role, listen)?;
    }
    if known.as_ref() != Some(&config) {
        config.write()?;
    }
    write_token(&config)?;
    Ok(config)
}

fn replace(config: &mut Config, options: &UpOptions) -> Result<()> {
    fn put<T: Clone>(into: &mut T, option: Option<&T>) {
        if let Some(value) = option {
            *into = value.clone();
        }
    }
    put(&mut config.listen, options.listen.as_ref());
    put(
        &mut config.endpoint_listen,
        options.endpoint_listen.as_ref(),
    );
    put(&mut config.soak_seconds, options.soak_seconds.as_ref());
    let grace = options.retire_grace_seconds.as_ref();
    put(&mut config.retire_grace_seconds, grace);
    put(&mut config.fence, options.fence.as_ref());
    let plans = options.plans.as_deref().map(absolute).transpose()?;
    config.plans = plans.or(config.plans.take());
    let policy = options.policy.as_deref().map(absolute).transpose()?;
    config.policy = policy.or(config.policy.take());
    let notices = options.notices.as_deref().map(absolute).transpose()?;
    config.notices = notices.or(config.notices.take());
    put(&mut config.owner, options.owner.as_ref());
    let every = options.plan_every_seconds.as_ref();
    put(&mut config.plan_every_seconds, every);
    let run_as = options.run_as.clone();
    config.run_as = run_as.or(config.run_as.take());
    let advertise = options.advertise.clone();
    config.advertise = advertise.or(config.advertise.take());
    Ok(())
}

/// With another state than before, its databases would run on and nobody would know of them.
fn need_same_state(before: bool, now: bool) -> Result<(), Failure> {
    let (sentence, hint) = match (before, now) {
        (true, false) => (
            format!("this directory has its state in the PostgreSQL that `{STATE_URL}` named"),
            "set it as before",
        ),
        (false, true) => (
            format!(
                "this directory has its state in an instance of its own, not where `{STATE_URL}` says"
            ),
            "unset it, or use another directory",
        ),
        _ => return Ok(()),
    };
    Err(Failure::refused(sentence).with_hint(hint))
}

/// Free, or held by a role of ours that an earlier `up` left behind.
fn need_address(
    config: &Config,
    before: Option<&Config>,
    role: &str,
    listen: &str,
) -> Result<(), Failure> {
    if holder(&config.pid_file(role)).is_some() {
        let before = before.map_or("another address", |before| match role {
            "server" => &before.listen,
            _ => &before.endpoint_listen,
        });
        if before == listen {
            return Ok(());
        }
        let sentence = format!("the {role} of an earlier `upkeep up` still runs on `{before}`");
        let hint = "use the same address, or `upkeep down` first";
        return Err(Failure::refused(sentence).with_hint(hint));
    }
    match std::net::TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) => Err(
            Failure::refused(format!("cannot listen on `{listen}`: {error}"))
                .with_hint("choose other addresses with --listen and --endpoint-listen"),
        ),
    }
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
        let sentence = format!(
            "no PostgreSQL release can be used on this machine{}",
            refused.concat()
        );
        let hint = "install one, for example with: apt-get install postgresql-15";
        return Err(Failure::refused(sentence).with_hint(hint).into());
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
