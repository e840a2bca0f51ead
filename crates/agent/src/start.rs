//! Starts, stops and reloads an instance.
//!
//! It starts as what its data directory says it is, with one rule on top: what was taken out as a
//! primary, or never became one, starts as a standby whatever files are missing.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::Instant;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::refusal::RefusalKind;

use crate::command::Command;
use crate::fault::{OrFailed, failed, refused};
use crate::host::{Host, Instance};
use crate::pause::pause;
use crate::process::{Process, State};
use crate::record::Record;
use crate::releases::program;
use crate::session;
use crate::{configuration, disarm, identity, marks, observe, postmaster, roles};

/// Crash recovery of a busy server can take minutes.
const START_WITHIN: Duration = Duration::from_secs(280);
const STOP_WITHIN: Duration = Duration::from_secs(280);
const TRY_EVERY: Duration = Duration::from_millis(5);
const ASK_WITHIN: Duration = Duration::from_secs(10);

pub(crate) async fn start(host: &Host, instance: &Instance) -> Result<Outcome, HostError> {
    instance.refuse_frozen()?;
    bring_up(host, instance).await?;
    // It may have been killed while it was frozen; it is not to stand still any more.
    marks::clear_frozen(&instance.places).or_failed()?;
    let observation = Box::new(observe::observe(host, instance).await?);
    Ok(Outcome::Started { observation })
}

/// Returns when it accepts connections; at once if it does already.
pub(crate) async fn bring_up(host: &Host, instance: &Instance) -> Result<(), HostError> {
    let record = instance.complete_record()?;
    let server = match instance.server() {
        Some(server) => server,
        None => launch(host, instance, &record).await?,
    };
    wait_until_it_answers(instance, server).await?;
    let session = instance.session().await.or_failed()?;
    let row = session
        .row("SELECT pg_catalog.pg_is_in_recovery()", ASK_WITHIN)
        .await
        .or_failed()?;
    if session::truth(&row, 0) == Some(false) {
        roles::ensure(&session).await.or_failed()?;
    }
    Ok(())
}

async fn launch(host: &Host, instance: &Instance, record: &Record) -> Result<Process, HostError> {
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    // What a dead server left could still write; nobody can reach it any more.
    postmaster::kill(&places.data()).await.or_failed()?;
    instance.close_sessions().await;
    if disarm::is_disarmed(places) || record.must_be_standby(places).or_failed()? {
        disarm::ensure_standby(places, run_as).or_failed()?;
    }
    configuration::write(places, record, run_as).or_failed()?;
    let release = host
        .releases
        .verified(record.release.as_str())
        .await
        .or_failed()?;
    let identity = identity::read(&places.data()).or_failed()?;
    let server: Command = program(&release, "postgres").or_failed()?;
    let server = server
        .arg("-D")
        .arg(places.data())
        .args(configuration::arguments(places, &identity))
        .cwd(places.data())
        .run_as(host.run_as.clone());
    let mut child = server.spawn_detached(&places.log()).or_failed()?;
    let process = child.id().and_then(|pid| Process::look_up(pid as i32));
    let id = instance.id;
    tokio::spawn(async move {
        let status = child.wait().await;
        tracing::info!(instance = %id, ?status, "server process ended");
    });
    process.ok_or_else(|| ended_early(instance))
}

fn ended_early(instance: &Instance) -> HostError {
    let words = postmaster::last_words(&instance.places.log());
    failed(format!(
        "the server of instance `{}` ended while starting: {words}",
        instance.id
    ))
}

async fn wait_until_it_answers(instance: &Instance, server: Process) -> Result<(), HostError> {
    let until = Instant::now() + START_WITHIN;
    loop {
        let Err(error) = instance.session().await else {
            return Ok(());
        };
        if server.state() == State::Dead {
            return Err(ended_early(instance));
        }
        if !error.may_pass() || Instant::now() > until {
            return Err(error).or_failed();
        }
        pause(TRY_EVERY).await;
    }
}

pub(crate) async fn stop(instance: &Instance) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    instance.refuse_frozen()?;
    instance.close_sessions().await;
    let data = instance.places.data();
    if instance.server().is_some() {
        postmaster::stop(&data, STOP_WITHIN).await.or_failed()?;
    } else {
        postmaster::kill(&data).await.or_failed()?;
    }
    Ok(Outcome::Done)
}

/// A fast stop as a fence. Twice is once.
pub(crate) async fn stop_primary(
    instance: &Instance,
    within: Duration,
) -> Result<Outcome, HostError> {
    let record = instance.complete_record()?;
    instance.refuse_frozen()?;
    if record.must_be_standby(&instance.places).or_failed()? {
        let sentence = format!(
            "instance `{}` is a standby; only a primary is fenced",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    instance.close_sessions().await;
    let control = postmaster::stop_writing(&instance.places.data(), within)
        .await
        .or_failed()?;
    Ok(Outcome::ShutDown {
        checkpoint: control.checkpoint,
    })
}

pub(crate) fn reload(host: &Host, instance: &Instance) -> Result<Outcome, HostError> {
    let record = instance.complete_record()?;
    configuration::write(&instance.places, &record, host.run_as.as_ref()).or_failed()?;
    if let Some(server) = instance.server() {
        server.signal(Signal::SIGHUP).or_failed()?;
    }
    Ok(Outcome::Done)
}
