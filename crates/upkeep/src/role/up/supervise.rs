//! Keeps the roles running: starts them, starts again those that end, ends them together.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Child;
use tokio::time::{Instant, sleep};
use upkeep_agent::command::Command;

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::output::last_failure;
use crate::role::process::holder;

const READY_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
const END_LOOK_EVERY: Duration = Duration::from_millis(20);
/// A role that ends at once is not started more often than that.
const START_AGAIN_AFTER: Duration = Duration::from_millis(200);

pub(super) struct Roles {
    config: Config,
    program: Utf8PathBuf,
    running: Vec<(&'static str, Runner)>,
}

/// Who runs a role.
enum Runner {
    Ours(Child),
    /// An earlier `up` was killed and its roles lived on: they carry clients, so they are left at it.
    Adopted,
}

impl Roles {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let program = std::env::current_exe().context("find our own program")?;
        let program = Utf8PathBuf::from_path_buf(program)
            .map_err(|path| anyhow::anyhow!("`{}` is not UTF-8", path.display()))?;
        Ok(Self {
            config: config.clone(),
            program,
            running: Vec::new(),
        })
    }

    /// Starts a role and waits until it answers.
    pub(super) async fn start(&mut self, role: &'static str) -> Result<()> {
        let pid_file = self.config.pid_file(role);
        if holder(&pid_file).is_some() && self.goes_by_old_options(role) {
            tracing::info!(role, "a role goes by former options; starting it anew");
            end_role(&pid_file, || holder(&pid_file).is_none()).await;
        }
        let runner = match holder(&pid_file) {
            Some(_) => Runner::Adopted,
            None => Runner::Ours(self.spawn(role)?),
        };
        self.running.push((role, runner));
        let until = Instant::now() + READY_WITHIN;
        while !self.answers(role).await {
            if self.has_ended(self.running.len() - 1)? {
                return Err(self.last_words(self.running.len() - 1));
            }
            if Instant::now() > until {
                bail!(
                    "the {role} does not answer: see `{}`",
                    self.config.log_file(role)
                );
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Starts again whatever ends. Never comes back unless that fails.
    pub(super) async fn supervise(&mut self) -> Result<std::convert::Infallible> {
        loop {
            for at in 0..self.running.len() {
                if self.has_ended(at)? {
                    let role = self.running[at].0;
                    tracing::warn!(role, "a role has ended; starting it again");
                    sleep(START_AGAIN_AFTER).await;
                    self.running[at].1 = Runner::Ours(self.spawn(role)?);
                }
            }
            self.reap_orphans();
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends the roles, those first that use others. Instances go on.
    pub(super) async fn end(&mut self) {
        for at in (0..self.running.len()).rev() {
            let pid_file = self.config.pid_file(self.running[at].0);
            end_role(&pid_file, || self.has_ended(at).unwrap_or(true)).await;
        }
    }

    /// Whether an adopted role has read options that hold no longer. The endpoint's only option is
    /// its address, which stays; clients depend on it.
    fn goes_by_old_options(&self, role: &str) -> bool {
        let written = |file: &Utf8Path| file.metadata().and_then(|found| found.modified()).ok();
        role != "endpoint"
            && written(&Config::file(&self.config.dir)) > written(&self.config.pid_file(role))
    }

    fn has_ended(&mut self, at: usize) -> Result<bool> {
        let (role, runner) = &mut self.running[at];
        match runner {
            Runner::Ours(child) => {
                let status = child
                    .try_wait()
                    .with_context(|| format!("look at the {role}"))?;
                Ok(status.is_some())
            }
            Runner::Adopted => Ok(holder(&self.config.pid_file(role)).is_none()),
        }
    }

    fn spawn(&self, role: &'static str) -> Result<Child> {
        let mut command = Command::new(self.program.as_str())
            .arg(role)
            .arg("--config")
            .arg(Config::file(&self.config.dir).as_str());
        let only_server = if role == "server" {
            &PASSED_ON_TO_SERVER[..]
        } else {
            &[]
        };
        for name in PASSED_ON.iter().chain(only_server) {
            if let Ok(value) = std::env::var(name) {
                command = command.env(name, value);
            }
        }
        command
            .spawn_detached(self.config.log_file(role).as_std_path())
            .with_context(|| format!("start the {role}"))
    }

    async fn answers(&self, role: &str) -> bool {
        match role {
            "agent" => UnixStream::connect(self.config.agent_socket())
                .await
                .is_ok(),
            "endpoint" => {
                UnixStream::connect(self.config.endpoint_socket())
                    .await
                    .is_ok()
                    && TcpStream::connect(&self.config.endpoint_listen)
                        .await
                        .is_ok()
            }
            _ => TcpStream::connect(&self.config.listen).await.is_ok(),
        }
    }

    /// Why a role ended before it answered.
    fn last_words(&mut self, at: usize) -> anyhow::Error {
        let (role, runner) = &mut self.running[at];
        let code = match runner {
            Runner::Ours(child) => child.try_wait().ok().flatten().and_then(|end| end.code()),
            Runner::Adopted => None,
        };
        let exit = if code == Some(Exit::Refused as i32) {
            Exit::Refused
        } else {
            Exit::NotDone
        };
        let log = std::fs::read_to_string(self.config.log_file(role)).unwrap_or_default();
        let failure = last_failure(&log, exit).unwrap_or_else(|| {
            let last = log.lines().rfind(|line| !line.trim().is_empty());
            Failure::new(exit, last.unwrap_or("it said nothing"))
        });
        anyhow::Error::new(failure).context(format!("the {role} ended at once"))
    }

    /// Processes that were left to us: an agent that ended was the parent of servers.
    fn reap_orphans(&self) {
        let own: Vec<_> = self
            .running
            .iter()
            .filter_map(|(_, runner)| match runner {
                Runner::Ours(child) => child.id(),
                Runner::Adopted => None,
            })
            .collect();
        for pid in children_of_this_process() {
            if !own.contains(&pid) {
                let _ = waitpid(Pid::from_raw(pid as i32), Some(WaitPidFlag::WNOHANG));
            }
        }
    }
}

/// Asks it to end, and insists in the end. It may have ended by itself meanwhile.
async fn end_role(pid_file: &Utf8Path, mut has_ended: impl FnMut() -> bool) {
    if let Some(pid) = holder(pid_file) {
        let _ = kill(pid, Signal::SIGTERM);
    }
    let until = Instant::now() + END_WITHIN;
    while !has_ended() && Instant::now() < until {
        sleep(END_LOOK_EVERY).await;
    }
    if let Some(pid) = holder(pid_file) {
        tracing::warn!(%pid, "a role does not end; killing it");
        let _ = kill(pid, Signal::SIGKILL);
    }
}

/// Environment that roles get: everything else of ours is dropped.
const PASSED_ON: [&str; 1] = ["UPKEEP_LOG"];
const PASSED_ON_TO_SERVER: [&str; 2] = [super::state::STATE_URL, "UPKEEP_CRASH_FILE"];

/// Orphans become our children, so that killed servers do not stay behind as zombies.
///
/// <https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html>
pub(super) fn adopt_orphans() -> Result<()> {
    nix::sys::prctl::set_child_subreaper(true).context("become the reaper of orphans")
}

fn children_of_this_process() -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|pids| {
            pids.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}
