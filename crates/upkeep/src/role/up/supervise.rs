//! Keeps the roles running: starts them, starts again those that end, ends them together.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::Utf8PathBuf;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};
use upkeep_agent::command::Command;

use crate::config::Config;

const READY_WITHIN: Duration = Duration::from_secs(60);
const END_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A role that ends at once is not started more often than that.
const START_AGAIN_AFTER: Duration = Duration::from_millis(200);

pub(super) struct Roles {
    config: Config,
    program: Utf8PathBuf,
    children: Vec<(&'static str, Child)>,
}

impl Roles {
    pub(super) fn new(config: &Config) -> Result<Self> {
        let program = std::env::current_exe().context("find our own program")?;
        let program = Utf8PathBuf::from_path_buf(program)
            .map_err(|path| anyhow::anyhow!("`{}` is not UTF-8", path.display()))?;
        Ok(Self {
            config: config.clone(),
            program,
            children: Vec::new(),
        })
    }

    /// Starts a role and waits until it answers.
    pub(super) async fn start(&mut self, role: &'static str) -> Result<()> {
        let child = self.spawn(role)?;
        self.children.push((role, child));
        let until = Instant::now() + READY_WITHIN;
        while !self.answers(role).await {
            let (_, child) = self.children.last_mut().expect("it was pushed above");
            if let Some(status) = child
                .try_wait()
                .with_context(|| format!("look at the {role}"))?
            {
                bail!(
                    "the {role} ended at once ({status}): {}",
                    self.last_words(role)
                );
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
            for at in 0..self.children.len() {
                let (role, child) = &mut self.children[at];
                let role = *role;
                if let Some(status) = child
                    .try_wait()
                    .with_context(|| format!("look at the {role}"))?
                {
                    tracing::warn!(role, %status, "a role has ended; starting it again");
                    sleep(START_AGAIN_AFTER).await;
                    self.children[at].1 = self.spawn(role)?;
                }
            }
            self.reap_orphans();
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends the roles, those first that use others. Instances go on.
    pub(super) async fn end(&mut self) {
        for (role, child) in self.children.iter_mut().rev() {
            let Some(pid) = child.id() else { continue };
            // It may have ended by itself meanwhile.
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGTERM);
            if timeout(END_WITHIN, child.wait()).await.is_err() {
                tracing::warn!(role, "a role does not end; killing it");
                let _ = child.kill().await;
            }
        }
    }

    fn spawn(&self, role: &'static str) -> Result<Child> {
        let mut command = Command::new(self.program.as_str())
            .arg(role)
            .arg("--config")
            .arg(Config::file(&self.config.dir).as_str());
        for name in PASSED_ON {
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

    fn last_words(&self, role: &str) -> String {
        let log = std::fs::read_to_string(self.config.log_file(role)).unwrap_or_default();
        log.lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing")
            .to_owned()
    }

    /// Processes that were left to us: an agent that ended was the parent of servers.
    fn reap_orphans(&self) {
        let own: Vec<_> = self
            .children
            .iter()
            .filter_map(|(_, child)| child.id())
            .collect();
        for pid in children_of_this_process() {
            if !own.contains(&pid) {
                let _ = waitpid(Pid::from_raw(pid as i32), Some(WaitPidFlag::WNOHANG));
            }
        }
    }
}

/// Environment that roles get: everything else of ours is dropped.
const PASSED_ON: [&str; 3] = ["UPKEEP_LOG", super::state::STATE_URL, "UPKEEP_CRASH_FILE"];

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
