//! The fence: stops every process of a primary where it stands, and lets it go on again.
//!
//! A frozen server cannot commit, and loses nothing. It goes on only when a command says so; how
//! long it waits for one is in `silence`. What it wrote behind the marker is read from its files.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::lsn::Lsn;
use upkeep_domain::refusal::RefusalKind;

use crate::fault::{OrFailed, refused};
use crate::host::{Host, Instance};
use crate::marks::{self, Frozen};
use crate::pause::pause_here;
use crate::process::{self, Process, State};
use crate::{disarm, observe, postmaster, silence, start, wal};

const LOOK_EVERY: Duration = Duration::from_micros(50);
/// A process in the middle of a flush stops when the disk has answered.
const STOP_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Signal(#[from] process::Error),
    #[error(transparent)]
    Processes(#[from] process::Unreadable),
    #[error("process {pid} of the server did not stop within {STOP_WITHIN:?}")]
    DoesNotStop { pid: i32 },
    #[error("server process {pid} has no process under it: it is starting or ending")]
    Alone { pid: i32 },
    #[error("process {pid} works in the data directory and was not stopped with the server")]
    GoesOn { pid: i32 },
}

pub(crate) async fn freeze(
    host: &Arc<Host>,
    instance: &Arc<Instance>,
    marker: Lsn,
    silence_ms: u64,
) -> Result<Outcome, HostError> {
    let (record, data) = (instance.complete_record()?, instance.places.data());
    if record.must_be_standby(&instance.places).or_failed()? {
        let sentence = format!(
            "instance `{}` is a standby; only a primary is fenced",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    if host.fence != FenceMeans::Freeze {
        let sentence = "its host is set up to stop primaries instead".to_owned();
        return Ok(Outcome::NotFrozen { sentence });
    }
    marks::set_frozen(&instance.places, Frozen { marker, silence_ms }).or_failed()?;
    // Watched before it stands still: from the first stopped process on, silence must end it.
    silence::watch(host, instance);
    let place = data.clone();
    let stopped = tokio::task::spawn_blocking(move || stop_all(&place))
        .await
        .or_failed()?;
    let processes = match stopped {
        Ok(processes) => processes,
        Err(error) => {
            thaw_processes(&data).or_failed()?;
            marks::clear_frozen(&instance.places).or_failed()?;
            silence::unwatch(instance);
            return not_frozen(error);
        }
    };
    if processes.is_none() {
        // The server is dead, yet what it started may live on and commit.
        postmaster::kill(&data).await.or_failed()?;
    }
    let read = tokio::task::spawn_blocking(move || wal::behind(&data, marker))
        .await
        .or_failed()?;
    let tail = read.or_failed()?;
    if tail.transactions > 0 {
        return Ok(Outcome::Behind {
            transactions: tail.transactions,
            end: tail.end,
        });
    }
    Ok(Outcome::Fenced {
        processes: processes.unwrap_or(0),
        killed: processes.is_none(),
    })
}

/// A server that is starting or ending may be frozen a moment later; what else is in the way stays.
fn not_frozen(error: Error) -> Result<Outcome, HostError> {
    match error {
        Error::Alone { .. } => Err(error).or_failed(),
        _ => Ok(Outcome::NotFrozen {
            sentence: ErrorChain(&error).to_string(),
        }),
    }
}

/// Stops the server first, so that it starts nothing more, then its children until no new one is
/// found. Tells how many stand still; nothing if the server is dead.
fn stop_all(data: &Path) -> Result<Option<u32>, Error> {
    let Some(server) = postmaster::find(data) else {
        return Ok(None);
    };
    server.signal(Signal::SIGSTOP)?;
    wait_stopped(server)?;
    let mut stopped: Vec<Process> = Vec::new();
    loop {
        let mut new = server.children()?;
        new.retain(|child| !stopped.contains(child));
        if new.is_empty() {
            break;
        }
        for child in &new {
            child.signal(Signal::SIGSTOP)?;
        }
        for child in &new {
            wait_stopped(*child)?;
        }
        stopped.extend(new);
    }
    if server.state() == State::Dead {
        return Ok(None);
    }
    if stopped.is_empty() {
        return Err(Error::Alone { pid: server.pid });
    }
    // The list of children is one witness; what works in the data directory is another.
    let all = process::all_in(data)?;
    match all.iter().find(|process| process.state() == State::Alive) {
        Some(Process { pid, .. }) => Err(Error::GoesOn { pid: *pid }),
        None => Ok(Some(stopped.len() as u32 + 1)),
    }
}

/// A process that ends instead is as good.
fn wait_stopped(process: Process) -> Result<(), Error> {
    let until = Instant::now() + STOP_WITHIN;
    while process.state() == State::Alive {
        if Instant::now() > until {
            return Err(Error::DoesNotStop { pid: process.pid });
        }
        pause_here(LOOK_EVERY);
    }
    Ok(())
}

pub(crate) async fn thaw(host: &Host, instance: &Instance) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    let places = &instance.places;
    if disarm::is_disarmed(places) {
        let sentence = format!(
            "instance `{}` is disarmed; rearm it before it is thawed",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let data = places.data();
    thaw_processes(&data).or_failed()?;
    postmaster::end_if_stopping(&data).await.or_failed()?;
    let ended = instance.server().is_none();
    if ended {
        start::bring_up(host, instance).await?;
    }
    marks::clear_frozen(places).or_failed()?;
    silence::unwatch(instance);
    if ended {
        let observation = Box::new(observe::observe(host, instance).await?);
        return Ok(Outcome::Started { observation });
    }
    Ok(Outcome::Done)
}

/// The server last: until then nothing new begins. It goes on even if its children are not known.
fn thaw_processes(data: &Path) -> Result<(), Error> {
    let Some(server) = postmaster::find(data) else {
        return Ok(());
    };
    let stopped = server.children().or_else(|_| process::all_in(data));
    for process in stopped.iter().flatten().filter(|found| **found != server) {
        process.signal(Signal::SIGCONT)?;
    }
    server.signal(Signal::SIGCONT)?;
    stopped?;
    Ok(())
}

/// SIGKILL to what is fenced. A primary that runs is not for killing.
pub(crate) async fn kill(instance: &Instance) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    let fenced = instance.is_frozen() || disarm::is_disarmed(&instance.places);
    if instance.server().is_some() && !fenced {
        let sentence = format!(
            "instance `{}` runs and is not fenced; stop it instead",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    instance.close_sessions().await;
    postmaster::kill(&instance.places.data())
        .await
        .or_failed()?;
    marks::clear_frozen(&instance.places).or_failed()?;
    silence::unwatch(instance);
    Ok(Outcome::Done)
}
