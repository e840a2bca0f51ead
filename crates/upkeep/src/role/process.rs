//! What every role does as a process: its log, its lock, and the signals that end it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use camino::Utf8Path;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

/// Held for as long as the process lives: the kernel lets go of it whatever kills us.
pub struct RoleLock(#[expect(dead_code, reason = "the lock is held, never read")] Flock<File>);

/// Takes the role's lock and writes our pid into its file.
///
/// # Errors
/// When another process has the role.
pub fn lock(pid_file: &Utf8Path) -> Result<RoleLock> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(pid_file)
        .with_context(|| format!("open `{pid_file}`"))?;
    let mut lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => lock,
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            let sentence =
                format!("another process has this role already: see the pid in `{pid_file}`");
            return Err(Failure::refused(sentence).into());
        }
        Err((_, error)) => return Err(error).with_context(|| format!("lock `{pid_file}`")),
    };
    lock.set_len(0)
        .with_context(|| format!("empty `{pid_file}`"))?;
    writeln!(lock, "{}", std::process::id()).with_context(|| format!("write `{pid_file}`"))?;
    Ok(RoleLock(lock))
}

/// Who has the role whose pid file this is. The lock tells whether the pid in it is still the role's.
pub fn holder(pid_file: &Utf8Path) -> Option<Pid> {
    let file = File::open(pid_file).ok()?;
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            let text = std::fs::read_to_string(pid_file).ok()?;
            text.trim().parse().ok().map(Pid::from_raw)
        }
        Ok(_) | Err(_) => None,
    }
}

/// Logs go to stderr; `up` sends a role's stderr to its file.
pub fn log() {
    let filter = EnvFilter::try_from_env("UPKEEP_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

/// Ends when somebody asks us to end: SIGINT or SIGTERM.
pub async fn asked_to_end() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// A unix socket that only its owner may use. A left one is replaced: the role's lock is ours.
pub fn listen_unix(path: &Utf8Path) -> Result<tokio::net::UnixListener> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("remove the old socket `{path}`")),
    }
    tokio::net::UnixListener::bind(path).with_context(|| format!("listen on `{path}`"))
}
