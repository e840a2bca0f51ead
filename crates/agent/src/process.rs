//! Processes as `/proc` shows them. A pid alone names nobody: it is used again.

use std::fs;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// One process, and no later one with the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// Clock ticks since the machine started.
    started: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Alive,
    /// By SIGSTOP: it does nothing until SIGCONT or SIGKILL.
    Stopped,
    /// Gone, or dead and only waiting to be reaped: it will never do anything again.
    Dead,
}

impl Process {
    /// The process that has this pid now.
    pub(crate) fn look_up(pid: i32) -> Option<Self> {
        let (process, state) = read_stat(pid)?;
        (state != State::Dead).then_some(process)
    }

    pub(crate) fn state(self) -> State {
        match read_stat(self.pid) {
            Some((process, state)) if process == self => state,
            _ => State::Dead,
        }
    }

    pub(crate) fn works_in(self, dir: &Path) -> bool {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).is_ok_and(|cwd| cwd == dir)
    }

    /// An upgraded or removed program is still named in its link, with a word behind it.
    fn is_postgres(self) -> bool {
        let program = fs::read_link(format!("/proc/{}/exe", self.pid)).unwrap_or_default();
        let name = program
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| name == "postgres" || name == "postgres (deleted)")
    }

    /// Only those alive. While the parent is stopped the list is complete.
    pub(crate) fn children(self) -> Vec<Self> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        let pids = fs::read_to_string(path).unwrap_or_default();
        pids.split_whitespace()
            .filter_map(|pid| Self::look_up(pid.parse().ok()?))
            .collect()
    }

    /// A process that is gone already is fine.
    pub(crate) fn signal(self, signal: Signal) -> Result<(), Error> {
        if self.state() == State::Dead {
            return Ok(());
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(source) => Err(Error {
                signal,
                pid: self.pid,
                source,
            }),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("send {signal} to process {pid}")]
pub(crate) struct Error {
    signal: Signal,
    pid: i32,
    source: Errno,
}

/// Every process of PostgreSQL whose working directory this is: a server's own all work in its
/// data directory. Somebody's shell that happens to be there is none of them.
pub(crate) fn all_in(dir: &Path) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(Process::look_up)
        .filter(|process| process.works_in(dir) && process.is_postgres())
        .collect()
}

/// Fields 3 and 22 of `/proc/<pid>/stat`; the name before them may hold anything.
fn read_stat(pid: i32) -> Option<(Process, State)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let state = match fields.next()? {
        "T" | "t" => State::Stopped,
        "Z" | "X" => State::Dead,
        _ => State::Alive,
    };
    let started = fields.nth(18)?.parse().ok()?;
    Some((Process { pid, started }, state))
}
