//! The processes of one instance: finds them, starts the server, stops it, kills it.
//!
//! A server is found by its `postmaster.pid` and by what works in its data directory; never by a
//! name. It is started by its own program, not `pg_ctl`, which looks only ten times a second.

mod brief_stop;

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::Instant;

use crate::command;
use crate::control_data::{self, ClusterState, ControlData};
use crate::durable;
use crate::pause::pause;
use crate::process::{self, Process, State};
use crate::shared_memory::SharedMemory;

pub(crate) use brief_stop::stop_briefly;

const LOOK_EVERY: Duration = Duration::from_millis(1);
/// A stop that is nearly over.
const END_BY_ITSELF_WITHIN: Duration = Duration::from_millis(500);
/// SIGKILL is a matter of milliseconds, unless the disk hangs.
const KILL_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Signal(#[from] process::Error),
    #[error(transparent)]
    Processes(#[from] process::Unreadable),
    #[error(transparent)]
    Control(#[from] control_data::Error),
    #[error(transparent)]
    Remove(#[from] durable::Error),
    #[error(transparent)]
    Start(#[from] command::Error),
    #[error("still there after {after:?}: {}", left.join("; "))]
    StillThere {
        /// What they call themselves: a sender says whom it waits for.
        left: Vec<String>,
        after: Duration,
    },
    #[error(
        "the server stopped, but its control file says {state:?} and not that it was shut down"
    )]
    NotShutDown { state: control_data::ClusterState },
}

/// The server process on this data directory, if one lives.
pub(crate) fn find(data: &Path) -> Option<Process> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    // Another process may have the pid by now, or it is dead and nobody has reaped it.
    Process::look_up(pid).filter(|process| process.works_in(data))
}

/// Removes the `postmaster.pid` of a server that is dead; a zombie would keep a new one away.
pub(crate) fn clear_stale_lock(data: &Path) -> Result<(), Error> {
    if find(data).is_none() {
        durable::remove(&data.join("postmaster.pid"))?;
    }
    Ok(())
}

/// Fast stop: done when nothing works on the data directory and `pg_control` says so.
pub(crate) async fn stop(data: &Path, within: Duration) -> Result<(), Error> {
    if let Some(server) = find(data) {
        server.signal(Signal::SIGINT)?;
        wait_gone(vec![server], within).await?;
    }
    wait_gone(process::all_in(data)?, within).await?;
    let state = ControlData::read(data)?.state;
    if state.is_shut_down() {
        Ok(())
    } else {
        Err(Error::NotShutDown { state })
    }
}

/// Fast stop, done as soon as nothing is left that could write: an archiver may take its time.
///
/// <https://www.postgresql.org/docs/current/server-shutdown.html>
pub(crate) async fn stop_writing(data: &Path, within: Duration) -> Result<ControlData, Error> {
    let until = Instant::now() + within;
    if let Some(server) = find(data) {
        server.signal(Signal::SIGINT)?;
    }
    loop {
        let left = process::all_in(data)?;
        let control = ControlData::read(data)?;
        match (left.is_empty(), control.state) {
            // A standby that is shut down says so in other words.
            (_, ClusterState::ShutDown) if left.iter().all(|left| only_archives(*left, data)) => {
                return Ok(control);
            }
            (true, state) => return Err(Error::NotShutDown { state }),
            (false, _) => {}
        }
        if Instant::now() > until {
            return Err(still_there(&left, within));
        }
        pause(LOOK_EVERY).await;
    }
}

/// A stop cannot be taken back, but it need not be waited for either: what an idle standby or a slow
/// archiver keeps from ending is killed. Commits that were acknowledged are in its log.
pub(crate) async fn end_if_stopping(data: &Path) -> Result<(), Error> {
    if !is_stopping(data) {
        return Ok(());
    }
    match wait_gone(process::all_in(data)?, END_BY_ITSELF_WITHIN).await {
        Err(Error::StillThere { .. }) => kill(data).await,
        ended => ended,
    }
}

/// The last line of `postmaster.pid` says what the server is about.
///
/// <https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h>
fn is_stopping(data: &Path) -> bool {
    const STATUS_LINE: usize = 7;
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let status = text.lines().nth(STATUS_LINE);
    find(data).is_some() && status.is_some_and(|status| status.trim() == "stopping")
}

/// A server that has written its last record, and is there only until its archiver has ended.
pub(crate) fn has_shut_down(data: &Path) -> bool {
    let shut_down =
        ControlData::read(data).is_ok_and(|control| control.state == ClusterState::ShutDown);
    shut_down
        && find(data).is_some()
        && process::all_in(data)
            .is_ok_and(|left| left.iter().all(|left| only_archives(*left, data)))
}

fn only_archives(process: Process, data: &Path) -> bool {
    find(data) == Some(process) || process.title().contains("archiver")
}

fn still_there(left: &[Process], after: Duration) -> Error {
    let titles = left.iter().map(|left| left.title());
    Error::StillThere {
        left: titles.collect(),
        after,
    }
}

/// Ends every process on the data directory at once. The server first, so that it starts no more.
pub(crate) async fn kill(data: &Path) -> Result<(), Error> {
    let server = find(data);
    let mut all: Vec<Process> = server.into_iter().collect();
    if let Some(server) = server {
        server.signal(Signal::SIGSTOP)?;
        all.extend(server.children()?);
    }
    all.extend(process::all_in(data)?);
    let memory = SharedMemory::of(&all);
    for process in &all {
        process.signal(Signal::SIGKILL)?;
    }
    wait_gone(all, KILL_WITHIN).await?;
    memory.release();
    clear_stale_lock(data)
}

async fn wait_gone(mut all: Vec<Process>, within: Duration) -> Result<(), Error> {
    let until = Instant::now() + within;
    loop {
        all.retain(|process| process.state() != State::Dead);
        if all.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(still_there(&all, within));
        }
        pause(LOOK_EVERY).await;
    }
}

/// What a server says while it starts. Its log goes on from start to start.
pub(crate) struct Words {
    log: PathBuf,
    begin: u64,
}

impl Words {
    /// Those that come from now on.
    pub(crate) fn from_now(log: PathBuf) -> Self {
        let begin = std::fs::metadata(&log).map_or(0, |log| log.len());
        Self { log, begin }
    }

    /// The end of them, for messages.
    pub(crate) fn last(&self) -> String {
        const BYTES: usize = 4_096;
        const LINES: usize = 6;
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        let begin = bytes.len().min(self.begin as usize);
        let begin = begin.max(bytes.len().saturating_sub(BYTES));
        let said = String::from_utf8_lossy(&bytes[begin..]);
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_since_the_start_is_told() {
        let dir = tempfile::tempdir().expect("a directory is made");
        let log = dir.path().join("log");
        let add = |text: &str| {
            let before = std::fs::read_to_string(&log).unwrap_or_default();
            std::fs::write(&log, before + text).expect("it can be written");
        };
        let all = Words::from_now(log.clone());
        add("LOG: of the start before\n");
        let words = Words::from_now(log.clone());
        assert_eq!(words.last(), "");
        add("LOG: starting\nFATAL: no\n");
        assert_eq!(words.last(), "LOG: starting | FATAL: no");
        assert!(all.last().starts_with("LOG: of the start before | "));
    }
}
