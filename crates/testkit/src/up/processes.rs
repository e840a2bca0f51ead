//! The processes that belong to one run of the product, found in `/proc`: its roles, the PostgreSQL
//! servers and the programs that these start. They outlive their parents, so no tree leads to them,
//! but each has the run's own directory in its arguments or as its working directory.

use std::fs;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const OBEYED_WITHIN: Duration = Duration::from_secs(6);
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// A PostgreSQL server that runs, as its own `postmaster.pid` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningInstance {
    pub pid: Pid,
    pub data_dir: Utf8PathBuf,
    pub port: u16,
    pub socket_dir: Utf8PathBuf,
}

impl RunningInstance {
    /// A direct connection by unix socket, past any endpoint.
    pub fn direct(&self, user: &str, database: &str) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config
            .host_path(&self.socket_dir)
            .port(self.port)
            .user(user)
            .dbname(database);
        config
    }

    /// Those of its processes that call themselves so stop where they are, as on a host that hangs; all are
    /// called `postgres`.
    pub fn stand_still(&self, title: &str) -> StandingStill {
        let mut processes = of(&self.data_dir, Utf8Path::new("postgres"));
        processes.retain(|pid| {
            let own = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&own).contains(title)
        });
        signal(processes.iter().copied(), Signal::SIGSTOP);
        StandingStill(processes)
    }
}

/// Processes that were stopped; they stay so unless told to go on.
#[derive(Debug)]
pub struct StandingStill(Vec<Pid>);

impl StandingStill {
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn go_on(self) {
        signal(self.0, Signal::SIGCONT);
    }
}

/// The processes of one of PostgreSQL's programs that work in `dir`.
pub fn programs_in(dir: &Utf8Path, name: &str) -> Vec<Pid> {
    let mut processes = of(dir, Utf8Path::new(name));
    processes.retain(|pid| program(*pid).as_deref() == Some(name));
    processes
}

/// Every process of the run in `dir`.
pub(super) fn of(dir: &Utf8Path, binary: &Utf8Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return vec![];
    };
    let pid = |name: std::ffi::OsString| name.to_str()?.parse().ok().map(Pid::from_raw);
    entries
        .filter_map(|entry| pid(entry.ok()?.file_name()))
        .filter(|pid| belongs_to(*pid, dir, binary))
        .collect()
}

/// Whether a process is ours: one of our programs, at work in `dir`. Somebody who only looks around
/// there with a shell or an editor is not.
pub(super) fn belongs_to(pid: Pid, dir: &Utf8Path, binary: &Utf8Path) -> bool {
    let Some(name) = program(pid) else {
        return false;
    };
    let ours = Some(name.as_str()) == binary.file_name();
    let postgres = ["postgres", "pg_", "initdb"];
    if !ours && !postgres.iter().any(|start| name.starts_with(start)) {
        return false;
    }
    let proc = Utf8PathBuf::from(format!("/proc/{pid}"));
    let here = link(&proc.join("cwd")).is_some_and(|cwd| cwd.starts_with(dir));
    here || fs::read(proc.join("cmdline")).is_ok_and(|arguments| mentions(&arguments, dir))
}

/// File name of the program that a process runs; one that was built anew meanwhile has lost its file.
fn program(pid: Pid) -> Option<String> {
    let file = link(Utf8Path::new(&format!("/proc/{pid}/exe")))?;
    let name = file.file_name()?;
    Some(name.trim_end_matches(" (deleted)").to_owned())
}

/// Whether an argument is `dir`, or lies in it; not one that merely begins alike.
fn mentions(arguments: &[u8], dir: &Utf8Path) -> bool {
    let arguments = String::from_utf8_lossy(arguments);
    arguments
        .split(['\0', '='])
        .any(|argument| Utf8Path::new(argument).starts_with(dir))
}

fn link(path: &Utf8Path) -> Option<Utf8PathBuf> {
    path.read_link_utf8().ok()
}

pub(super) fn instances(dir: &Utf8Path, binary: &Utf8Path) -> Vec<RunningInstance> {
    let running = |pid: Pid| {
        let data_dir = link(Utf8Path::new(&format!("/proc/{pid}/cwd")))?;
        let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
        let instance = described(&text, data_dir)?;
        // Its children have the same working directory.
        (instance.pid == pid).then_some(instance)
    };
    of(dir, binary).into_iter().filter_map(running).collect()
}

/// Lines: process id, data directory, start time, port, socket directory, …
fn described(postmaster_pid: &str, data_dir: Utf8PathBuf) -> Option<RunningInstance> {
    let lines: Vec<&str> = postmaster_pid.lines().map(str::trim).collect();
    let socket_dir = lines.get(4).filter(|dir| !dir.is_empty())?;
    Some(RunningInstance {
        pid: Pid::from_raw(lines.first()?.parse().ok()?),
        data_dir,
        port: lines.get(3)?.parse().ok()?,
        socket_dir: Utf8PathBuf::from(*socket_dir),
    })
}

/// Ends what is left: first whoever could start something again, then the servers.
pub(super) fn end_all(dir: &Utf8Path, binary: &Utf8Path) {
    let roles = |pid: &Pid| program(*pid).as_deref() == binary.file_name();
    signal(of(dir, binary).into_iter().filter(roles), Signal::SIGKILL);
    // Immediate shutdown: a killed server leaves shared memory behind, this does not. A frozen one
    // must thaw to obey; its clients are gone.
    let servers = instances(dir, binary).into_iter().map(|server| server.pid);
    signal(servers, Signal::SIGQUIT);
    signal(of(dir, binary), Signal::SIGCONT);
    let patience = Instant::now() + OBEYED_WITHIN;
    let deadline = patience + GONE_WITHIN;
    loop {
        let left = of(dir, binary);
        let now = Instant::now();
        if left.is_empty() || now > deadline {
            return;
        }
        if now > patience {
            signal(left, Signal::SIGKILL);
        }
        std::thread::yield_now();
    }
}

fn signal(pids: impl IntoIterator<Item = Pid>, signal: Signal) {
    for pid in pids {
        // If it fails, the process is gone already.
        let _ = kill(pid, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_in_the_directory_is_told_from_one_that_begins_alike() {
        let dir = Utf8Path::new("/tmp/up-a");
        assert!(mentions(b"postgres\0-D\0/tmp/up-a/agent/data\0", dir));
        assert!(mentions(b"pg_basebackup\0--pgdata=/tmp/up-a/x\0", dir));
        assert!(!mentions(b"postgres\0-D\0/tmp/up-ab/data\0", dir));
    }

    #[test]
    fn a_server_is_described_by_its_pid_file() {
        let text = "4711\n/d/data\n1700000000\n5433\n/d/s\nlocalhost\n  5432001 3\nready\n";
        let instance = described(text, "/d/data".into()).unwrap();
        assert_eq!(
            (instance.port, instance.socket_dir.as_str()),
            (5433, "/d/s")
        );
        assert_eq!(
            described("4711\n/d/data\n1\n5433\n", "/d/data".into()),
            None
        );
    }
}
