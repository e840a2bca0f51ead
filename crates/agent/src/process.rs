//! Processes as `/proc` shows them. A pid alone names nobody: it is used again.

use std::path::Path;
use std::{fs, io};

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
        let (process, state) = read_stat(pid).ok()??;
        (state != State::Dead).then_some(process)
    }

    /// What cannot be read is not known to be dead.
    pub(crate) fn state(self) -> State {
        match read_stat(self.pid) {
            Ok(Some((process, state))) if process == self => state,
            Ok(_) => State::Dead,
            Err(_) => State::Alive,
        }
    }

    pub(crate) fn works_in(self, dir: &Path) -> bool {
        fs::read_link(format!("/proc/{}/cwd", self.pid)).is_ok_and(|cwd| cwd == dir)
    }

    /// What the process calls itself, as `ps` shows it; nothing if it is gone.
    pub(crate) fn title(self) -> String {
        let title = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let title = String::from_utf8_lossy(&title).replace('\0', " ");
        title.trim().to_owned()
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
    ///
    /// A kernel may be built without this list: of a process that lives its absence is an error.
    pub(crate) fn children(self) -> Result<Vec<Self>, Unreadable> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid);
        let pids = match fs::read_to_string(&path) {
            Ok(pids) => pids,
            Err(_) if self.state() == State::Dead => String::new(),
            Err(source) => return Err(Unreadable { path, source }),
        };
        let pids = pids.split_whitespace();
        Ok(pids
            .filter_map(|pid| Self::look_up(pid.parse().ok()?))
            .collect())
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

/// Who is there cannot be told: never the same as nobody.
#[derive(Debug, thiserror::Error)]
#[error("read `{path}`")]
pub(crate) struct Unreadable {
    path: String,
    source: io::Error,
}

/// Every process of PostgreSQL whose working directory this is: a server's own all work in its
/// data directory. Somebody's shell that happens to be there is none of them.
pub(crate) fn all_in(dir: &Path) -> Result<Vec<Process>, Unreadable> {
    let entries = fs::read_dir("/proc").map_err(|source| Unreadable {
        path: "/proc".to_owned(),
        source,
    })?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids
        .filter_map(Process::look_up)
        .filter(|process| process.works_in(dir) && process.is_postgres())
        .collect())
}

/// Nothing if no process has this pid.
fn read_stat(pid: i32) -> io::Result<Option<(Process, State)>> {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => parse_stat(pid, &stat).map(Some).ok_or_else(|| {
            let sentence = format!("the state of process {pid} is not understood");
            io::Error::new(io::ErrorKind::InvalidData, sentence)
        }),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// It was gone before its file was opened, or between that and reading it.
fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ESRCH as i32)
}

/// Fields 3 and 22 of `/proc/<pid>/stat`; the name before them may hold anything.
fn parse_stat(pid: i32, stat: &str) -> Option<(Process, State)> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_listed_and_a_vanished_process_has_none() {
        let ours = Process::look_up(std::process::id() as i32).unwrap();
        assert!(ours.children().is_ok());
        let another_with_our_pid = Process { started: 0, ..ours };
        assert_eq!(another_with_our_pid.state(), State::Dead);
        let nobody = Process {
            pid: i32::MAX,
            started: 0,
        };
        assert_eq!(nobody.state(), State::Dead);
        assert_eq!(nobody.children().unwrap(), []);
    }
}
