//! The two halves of a restart while clients are held: stop and start, as quick as PostgreSQL is.
//!
//! What a start needs beforehand was looked at by `dry_start`. If the server does not come up all
//! the same, it is tried once more as it was at its last good start.

use std::time::Duration;

use tokio::time::Instant;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::millis::Millis;
use upkeep_domain::release::ReleaseName;

use crate::fault::{OrFailed, failed};
use crate::host::{Host, Instance};
use crate::known_good::KnownGood;
use crate::record::Record;
use crate::session::truth;
use crate::start::{self, NotUp};
use crate::{durable, known_good, marks, observe, postmaster};

/// Longer than clients are kept waiting.
const STOP_WITHIN: Duration = Duration::from_secs(50);
const ASK_WITHIN: Duration = Duration::from_secs(10);

/// A primary answers only when the write is on its own disk; whether a standby confirms it is
/// nothing that a restart waits for.
const PROBE: &str = "BEGIN; SET LOCAL synchronous_commit = local; \
    SELECT r OR pg_catalog.pg_logical_emit_message(true, 'upkeep', 'restarted') IS NOT NULL \
    FROM (SELECT pg_catalog.pg_is_in_recovery() AS r OFFSET 0) AS recovery; COMMIT";

pub(crate) async fn stop(instance: &Instance) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    instance.refuse_frozen()?;
    let began = Instant::now();
    durable::remove(&instance.places.fell_back()).or_failed()?;
    instance.close_sessions().await;
    let data = instance.places.data();
    let not_waited_for = match instance.server() {
        Some(server) => postmaster::stop_briefly(&data, server, STOP_WITHIN)
            .await
            .or_failed()?,
        None => {
            postmaster::kill(&data).await.or_failed()?;
            Vec::new()
        }
    };
    Ok(Outcome::Stopped {
        stop_ms: since(began),
        not_waited_for,
    })
}

pub(crate) async fn start(
    host: &Host,
    instance: &Instance,
    release: ReleaseName,
) -> Result<Outcome, HostError> {
    instance.refuse_frozen()?;
    let began = Instant::now();
    let mut record = instance.complete_record()?;
    let stands = instance.server().is_none();
    let not_started = match fell_back(instance).or_failed()? {
        // An earlier try has begun to fall back, and its agent died over it.
        Some(why) if stands => fall_back(host, instance, record, &why).await?,
        _ => {
            if stands && record.release != release {
                record.release = release;
                record.save(&instance.places).or_failed()?;
            }
            // One that runs was started by an earlier try, whose answer was lost.
            match start::come_up(host, instance, &record).await {
                Ok(()) => None,
                Err(NotUp::Unknown(error)) => return Err(error),
                Err(NotUp::Ended(why)) => fall_back(host, instance, record, &why).await?,
            }
        }
    };
    if let Some(sentence) = not_started {
        // Whoever tries again has looked at it, and means what lies there then.
        durable::remove(&instance.places.fell_back()).or_failed()?;
        return Ok(Outcome::NotStarted { sentence });
    }
    let session = instance.session().await.or_failed()?;
    let row = session.row(PROBE, ASK_WITHIN).await.or_failed()?;
    if truth(&row, 0) != Some(true) {
        return Err(failed("the restarted server does not say that it wrote"));
    }
    let start_to_write_ms = since(began);
    marks::clear_frozen(&instance.places).or_failed()?;
    Ok(Outcome::StartedAgain {
        observation: Box::new(observe::observe(host, instance).await?),
        fell_back: fell_back(instance).or_failed()?,
        start_to_write_ms,
    })
}

/// Starts it as it was at its last good start. A sentence if that did not help either.
async fn fall_back(
    host: &Host,
    instance: &Instance,
    mut record: Record,
    why: &str,
) -> Result<Option<String>, HostError> {
    match put_back(host, instance, &mut record, why) {
        Ok(true) => {}
        Ok(false) => {
            return Ok(Some(format!(
                "it does not start ({why}), and there is no copy of a configuration with which it did"
            )));
        }
        Err(error) => {
            let error = ErrorChain(&error);
            return Ok(Some(format!(
                "it does not start ({why}), and its last good configuration cannot be put back ({error})"
            )));
        }
    }
    match start::come_up(host, instance, &record).await {
        Ok(()) => Ok(None),
        Err(NotUp::Unknown(error)) => Err(error),
        Err(NotUp::Ended(again)) => Ok(Some(format!(
            "it does not start, neither as it was to ({why}) nor as at its last good start ({again})"
        ))),
    }
}

/// False if there is nothing to put back. That it is done is on disk before it is true, so that
/// whoever asks later is told.
fn put_back(
    host: &Host,
    instance: &Instance,
    record: &mut Record,
    why: &str,
) -> Result<bool, known_good::Error> {
    let places = &instance.places;
    let Some(good) = KnownGood::read(places)? else {
        return Ok(false);
    };
    if !places.fell_back().exists() {
        let note = if good.differs(places, record)? {
            format!(
                "it did not start as it was to ({why}) and runs as at its last good start; what it did not start with is kept in `{}`",
                places.refused().display()
            )
        } else {
            format!("it did not start at once ({why})")
        };
        durable::write(&places.fell_back(), note.as_bytes(), 0o600, None)?;
    }
    good.put_back(places, record, host.run_as.as_ref())?;
    Ok(true)
}

fn fell_back(instance: &Instance) -> Result<Option<String>, std::io::Error> {
    match std::fs::read_to_string(instance.places.fell_back()) {
        Ok(note) => Ok(Some(note)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn since(began: Instant) -> Millis {
    Millis {
        micros: began.elapsed().as_micros() as u64,
    }
}
