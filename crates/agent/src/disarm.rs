//! Takes an instance out as a primary: from then on it can only start as a standby.
//!
//! Our mark comes first and goes last, so that a crash in between leaves it disarmed.

use upkeep_domain::host_command::{Fence, HostError, Outcome};
use upkeep_domain::refusal::RefusalKind;

use crate::command::RunAs;
use crate::durable;
use crate::fault::{OrFailed, failed, refused};
use crate::host::{Host, Instance};
use crate::layout::Places;
use crate::postmaster;

const MARK_FILE: &str = "upkeep_disarmed";
const SIGNAL_FILE: &str = "standby.signal";

pub(crate) fn is_disarmed(places: &Places) -> bool {
    places.data().join(MARK_FILE).exists()
}

pub(crate) fn is_standby(places: &Places) -> bool {
    places.data().join(SIGNAL_FILE).exists()
}

pub(crate) fn ensure_standby(
    places: &Places,
    run_as: Option<&RunAs>,
) -> Result<(), durable::Error> {
    durable::write(&places.data().join(SIGNAL_FILE), b"", 0o600, run_as)
}

/// For a program that has to end a recovery first.
pub(crate) fn remove_signal(places: &Places) -> Result<(), durable::Error> {
    durable::remove(&places.data().join(SIGNAL_FILE))
}

/// A copy brings its source's mark along.
pub(crate) fn remove_mark(places: &Places) -> Result<(), durable::Error> {
    durable::remove(&places.data().join(MARK_FILE))
}

pub(crate) fn disarm(host: &Host, instance: &Instance, fence: Fence) -> Result<Outcome, HostError> {
    instance.complete_record()?;
    let (places, run_as) = (&instance.places, host.run_as.as_ref());
    let at_rest = instance.is_frozen() || postmaster::has_shut_down(&places.data());
    if instance.server().is_some() && !at_rest {
        let sentence = format!(
            "instance `{}` runs; freeze or stop it before it is disarmed",
            instance.id
        );
        return Err(refused(RefusalKind::Conflict, sentence));
    }
    let mark = places.data().join(MARK_FILE);
    let text = fence.0.to_string();
    let signal = places.data().join(SIGNAL_FILE);
    durable::put_marks(&[(&mark, text.as_bytes()), (&signal, b"")], run_as).or_failed()?;
    let read_back = std::fs::read_to_string(&mark).or_failed()?;
    if read_back != text || !is_standby(places) {
        return Err(failed(format!(
            "the mark that disarms instance `{}` is not there",
            instance.id
        )));
    }
    Ok(Outcome::Done)
}

pub(crate) fn rearm(instance: &Instance) -> Result<Outcome, HostError> {
    let record = instance.complete_record()?;
    let places = &instance.places;
    if is_disarmed(places) {
        if !record.must_be_standby(places).or_failed()? {
            durable::remove(&places.data().join(SIGNAL_FILE)).or_failed()?;
        }
        remove_mark(places).or_failed()?;
    }
    Ok(Outcome::Done)
}
