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
use crate::postmaster::Words;
use crate::process::{Process, State};
use crate::record::Record;
use crate::releases::program;
use crate::session;
use crate::{configuration, disarm, identity, known_good, marks, observe, postmaster, roles};

/// Crash recovery of a busy server can take minutes.
const START_WITHIN: Duration = Duration::from_secs(280);
const STOP_WITHIN: Duration = Duration::from_secs(280);
const TRY_EVERY: Duration = Duration::from_millis(2);
const ASK_WITHIN: Duration = Duration::from_secs(10);

pub(crate) async fn start(host: &Host, instance: &Instance) -> Result<Outcome, HostError> {
    instance.refuse_frozen()?;
    bring_up(host, instance).await?;
    // It may have been killed while it was frozen; it is not to stand still any more.
    marks::clear_frozen(&instance.places).or_failed()?;
    let observation = Box::new(observe::observe(host, instance).await?);
    Ok(Outcome::Started { observation })
}

/// Why a server does not answer that was to come up.
pub(crate) enum NotUp {
    /// It is known not to run, and why.
    Ended(String),
    /// What is true of it has to be looked at.
    Unknown(HostError),
}

impl From<NotUp> for HostError {
    fn from(not_up: NotUp) -> Self {
        match not_up {
            NotUp::Ended(sentence) => failed(sentence),
            NotUp::Unknown(error) => error,
        }
    }
}

/// Returns when it accepts connections; at once if it does already.
pub(crate) async fn bring_up(host: &Host, instance: &Instance) -> Result<(), HostError> {
    let record = instance.complete_record()?;
    if instance.server().is_none() {
        // An installed release may have been upgraded meanwhile.
        host.releases
            .verified(record.release.as_str())
            .await
            .or_failed()?;
    }
    come_up(host, instance, &record).await?;
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

/// As `bring_up`, of a release that was looked at a moment ago. A start that is good is remembered.
pub(crate) async fn come_up(
    host: &Host,
    instance: &Instance,
    record: &Record,
) -> Result<(), NotUp> {
    let words = Words::from_now(instance.places.log());
    if let Some(server) = instance.server() {
        return wait_until_it_answers(instance, server, &words).await;
    }
    let data = instance.places.data();
    // What a dead server left could still write; nobody can reach it any more.
    let killed = postmaster::kill(&data).await.or_failed();
    killed.map_err(NotUp::Unknown)?;
    instance.close_sessions().await;
    let server = launch(host, instance, record, &words);
    let server = server.map_err(|error| NotUp::Ended(error.to_string()))?;
    wait_until_it_answers(instance, server, &words).await?;
    if let Err(error) = known_good::remember(&instance.places, record) {
        // It runs; only the next start that fails has less to go back to.
        tracing::warn!(instance = %instance.id, %error, "configuration of a good start not kept");
    }
    Ok(())
}

fn launch(
    host: &Host,
    instance: &Instance,
    record: &Record,
    words: &Words,
) -> Result<Process, HostError> {
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    if disarm::is_disarmed(places) || record.must_be_standby(places).or_failed()? {
        disarm::ensure_standby(places, run_as).or_failed()?;
    }
    configuration::write(places, record, run_as).or_failed()?;
    let release = host.releases.info(record.release.as_str()).or_failed()?;
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
    process.ok_or_else(|| failed(ended_early(instance, words)))
}

fn ended_early(instance: &Instance, words: &Words) -> String {
    format!(
        "the server of instance `{}` ended while starting: {}",
        instance.id,
        words.last()
    )
}

async fn wait_until_it_answers(
    instance: &Instance,
    server: Process,
    words: &Words,
) -> Result<(), NotUp> {
    let until = Instant::now() + START_WITHIN;
    loop {
        let Err(error) = instance.session().await else {
            return Ok(());
        };
        if server.state() == State::Dead {
            return Err(NotUp::Ended(ended_early(instance, words)));
        }
        if !error.may_pass() || Instant::now() > until {
            return Err(error).or_failed().map_err(NotUp::Unknown);
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
