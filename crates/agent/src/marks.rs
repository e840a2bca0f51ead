//! What is written down in the middle of a switch, while clients wait: small files beside the
//! record, each with no more flushing than what it says needs.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use upkeep_domain::lsn::Lsn;
use upkeep_domain::millis::Millis;

use crate::durable;
use crate::layout::Places;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Durable(#[from] durable::Error),
}

/// An instance that is to stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frozen {
    pub(crate) marker: Lsn,
    pub(crate) silence_ms: u64,
}

/// Not flushed: it is for the agent after us, and when the machine goes down there is nothing left
/// that could be frozen.
pub(crate) fn set_frozen(places: &Places, frozen: Frozen) -> Result<(), Error> {
    let path = places.frozen();
    let new = path.with_extension("new");
    let written = serde_json::to_vec(&frozen)
        .map_err(io::Error::from)
        .and_then(|text| fs::write(&new, text))
        .and_then(|()| fs::rename(&new, &path));
    written.map_err(|source| Error::Write { path, source })
}

/// One that cannot be understood was cut off when the machine went down.
pub(crate) fn frozen(places: &Places) -> Result<Option<Frozen>, Error> {
    let path = places.frozen();
    match fs::read(&path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}

pub(crate) fn clear_frozen(places: &Places) -> Result<(), Error> {
    match fs::remove_file(places.frozen()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(|source| Error::Write {
            path: places.frozen(),
            source,
        }),
    }
}

/// On disk before it returns: without it a later refusal would claim that nobody asked.
pub(crate) fn request_promotion(places: &Places) -> Result<(), Error> {
    let path = places.promotion();
    let written = OpenOptions::new().create(true).append(true).open(&path);
    let written = written.and_then(|file| file.sync_all());
    written.map_err(|source| Error::Write {
        path: path.clone(),
        source,
    })?;
    Ok(durable::sync_names_beside(&path)?)
}

pub(crate) fn promotion_requested(places: &Places) -> Result<bool, Error> {
    let path = places.promotion();
    path.try_exists()
        .map_err(|source| Error::Read { path, source })
}

/// It follows another now: that it was asked once is of a former life.
pub(crate) fn forget_promotion(places: &Places) -> Result<(), durable::Error> {
    durable::remove(&places.promotion())
}

/// For whoever asks again. Nothing depends on it, so a failure is only logged.
pub(crate) fn note_promoted(places: &Places, promote_to_write: Millis) {
    let path = places.promotion();
    let noted = OpenOptions::new()
        .append(true)
        .open(&path)
        .and_then(|mut file| writeln!(file, "{}", promote_to_write.micros));
    if let Err(error) = noted {
        tracing::warn!(path = %path.display(), %error, "time of a promotion not noted");
    }
}

pub(crate) fn promoted_within(places: &Places) -> Option<Millis> {
    let text = fs::read_to_string(places.promotion()).ok()?;
    Some(Millis {
        micros: text.lines().next()?.parse().ok()?,
    })
}
