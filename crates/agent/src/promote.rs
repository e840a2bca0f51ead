//! Promotes a standby: the one thing that cannot be taken back.
//!
//! A refusal proves that nobody has asked the server; once it is asked, that is on disk first and
//! every later call only sees to it that it comes about. `pg_ctl promote` and `pg_promote` wait in
//! steps of 100 ms, so the server is asked the way they ask it, and probed with a real write.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::Instant;
use upkeep_domain::host_command::{HostError, Outcome};
use upkeep_domain::lsn::TimelineId;
use upkeep_domain::millis::Millis;
use upkeep_domain::refusal::RefusalKind;

use crate::fault::{OrFailed, failed, refused};
use crate::host::{Host, Instance};
use crate::pause::{LOOK_EVERY, pause};
use crate::session::{self, Session, truth, value};
use crate::{disarm, durable, marks, start};

const SIGNAL_FILE: &str = "promote";
const ASK_WITHIN: Duration = Duration::from_secs(2);
const PROMOTE_WITHIN: Duration = Duration::from_secs(50);

/// Writes as soon as it can and says nothing in the log until then.
const PROBE: &str = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
    ELSE pg_catalog.pg_logical_emit_message(true, 'upkeep', 'probe') END";
const IN_RECOVERY: &str = "SELECT pg_catalog.pg_is_in_recovery()";
const TIMELINE: &str = "SELECT ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(\
    pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::pg_catalog.bit(32)::pg_catalog.int4";

pub(crate) async fn promote(host: &Host, instance: &Instance) -> Result<Outcome, HostError> {
    // Known before anything can be refused; one that cannot be read may have been asked.
    let asked = marks::promotion_requested(&instance.places).or_failed()?;
    match see_to_it(host, instance, asked).await {
        Err(HostError::Refused { refusal }) if asked => Err(failed(format!(
            "it has been asked for promotion before, and now: {refusal}"
        ))),
        result => result,
    }
}

async fn see_to_it(host: &Host, instance: &Instance, asked: bool) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    let places = &instance.places;
    let ready = standby_that_answers(host, instance).await;
    let in_recovery = match ready {
        Ok(in_recovery) => in_recovery,
        // Whatever went wrong, nobody has asked it: that is what a refusal says.
        Err(error) if !asked => return Err(never_asked(error)),
        Err(error) => return Err(error),
    };
    let session = instance.session().await.or_failed()?;
    if !in_recovery {
        return if asked {
            let promote_to_write_ms = marks::promoted_within(places).unwrap_or_default();
            let timeline = timeline(&session).await?;
            Ok(Outcome::Promoted {
                timeline,
                promote_to_write_ms,
            })
        } else {
            let sentence = format!("instance `{}` is a primary already", instance.id);
            Err(refused(RefusalKind::Conflict, sentence))
        };
    }
    marks::request_promotion(places).or_failed()?;
    let began = Instant::now();
    ask(host, instance)?;
    first_write(instance, &session).await?;
    let promote_to_write_ms = Millis {
        micros: began.elapsed().as_micros() as u64,
    };
    let timeline = timeline(&session).await?;
    marks::note_promoted(places, promote_to_write_ms);
    Ok(Outcome::Promoted {
        timeline,
        promote_to_write_ms,
    })
}

/// A dead one is started again, as the standby that it is. True while it is in recovery.
async fn standby_that_answers(host: &Host, instance: &Instance) -> Result<bool, HostError> {
    instance.refuse_frozen()?;
    if disarm::is_disarmed(&instance.places) {
        let sentence = format!(
            "instance `{}` is disarmed; it may not become a primary",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    if let (Some(_), Ok(in_recovery)) = (instance.server(), in_recovery(instance).await) {
        return Ok(in_recovery);
    }
    // Dead, or it has just restarted and our session with it.
    start::bring_up(host, instance).await?;
    in_recovery(instance).await.or_failed()
}

async fn in_recovery(instance: &Instance) -> Result<bool, session::Error> {
    let row = instance
        .session()
        .await?
        .row(IN_RECOVERY, ASK_WITHIN)
        .await?;
    truth(&row, 0).ok_or(session::Error::Empty)
}

fn never_asked(error: HostError) -> HostError {
    match error {
        HostError::Refused { .. } | HostError::Stale { .. } => error,
        HostError::Failed { sentence } | HostError::Unknown { sentence } => refused(
            RefusalKind::Unavailable,
            format!("it was not asked for promotion, because it could not be: {sentence}"),
        ),
    }
}

fn ask(host: &Host, instance: &Instance) -> Result<(), HostError> {
    let signal_file = instance.places.data().join(SIGNAL_FILE);
    // Not flushed: it is read at once or, after a crash, not at all.
    durable::put(&signal_file, host.run_as.as_ref()).or_failed()?;
    let gone = || {
        failed(format!(
            "the server of instance `{}` has just ended",
            instance.id
        ))
    };
    instance
        .server()
        .ok_or_else(gone)?
        .signal(Signal::SIGUSR1)
        .or_failed()
}

async fn first_write(instance: &Instance, session: &Session) -> Result<(), HostError> {
    let until = Instant::now() + PROMOTE_WITHIN;
    loop {
        let row = session.row(PROBE, ASK_WITHIN).await.or_failed()?;
        if row.first().is_some_and(Option::is_some) {
            return Ok(());
        }
        if Instant::now() > until {
            let id = instance.id;
            return Err(failed(format!(
                "instance `{id}` was asked for promotion and takes no writes after {PROMOTE_WITHIN:?}"
            )));
        }
        pause(LOOK_EVERY).await;
    }
}

pub(crate) async fn timeline(session: &Session) -> Result<TimelineId, HostError> {
    let row = session.row(TIMELINE, ASK_WITHIN).await.or_failed()?;
    let number = value(&row, 0).ok_or_else(|| failed("the server does not say its timeline"))?;
    Ok(TimelineId(number))
}
