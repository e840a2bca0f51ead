//! The configuration of the last good start: kept, and put back once when another does not start.
//!
//! What Upkeep writes itself follows from the release and the settings of the record, so these are
//! kept and not the text. One file, so that it is from one moment whatever happens.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::release::ReleaseName;

use crate::command::RunAs;
use crate::durable;
use crate::layout::Places;
use crate::record::{self, Record};

/// In the data directory: what people and `ALTER SYSTEM` change.
pub(crate) const FILES: [&str; 2] = ["postgresql.conf", "postgresql.auto.conf"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Durable(#[from] durable::Error),
    #[error(transparent)]
    Record(#[from] record::Error),
    #[error("understand `{}`", path.display())]
    Understand {
        path: PathBuf,
        source: serde_json::Error,
    },
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownGood {
    release: ReleaseName,
    settings: InstanceSettings,
    /// By the order of [`FILES`]; bytes, because nobody says in which encoding they are.
    files: Vec<Option<Vec<u8>>>,
}

impl KnownGood {
    /// What lies there now.
    fn present(places: &Places, record: &Record) -> Result<Self, Error> {
        let files = FILES.map(|name| durable::read(&places.data().join(name)));
        Ok(Self {
            release: record.release.clone(),
            settings: record.settings.clone(),
            files: files.into_iter().collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn read(places: &Places) -> Result<Option<Self>, Error> {
        let path = places.known_good();
        let Some(text) = durable::read(&path)? else {
            return Ok(None);
        };
        let known = serde_json::from_slice(&text);
        known
            .map(Some)
            .map_err(|source| Error::Understand { path, source })
    }

    /// Whether anything else lies there.
    pub(crate) fn differs(&self, places: &Places, record: &Record) -> Result<bool, Error> {
        Ok(Self::present(places, record)? != *self)
    }

    /// Puts it in the place of what lies there, which is kept aside. Twice is once.
    pub(crate) fn put_back(
        &self,
        places: &Places,
        record: &mut Record,
        run_as: Option<&RunAs>,
    ) -> Result<(), Error> {
        let refused = Self::present(places, record)?;
        if refused == *self {
            return Ok(());
        }
        durable::folder(&places.refused(), 0o700, None)?;
        for (name, (refused, good)) in FILES.iter().zip(refused.files.iter().zip(&self.files)) {
            if refused == good {
                continue;
            }
            if let Some(bytes) = refused {
                durable::write(&places.refused().join(name), bytes, 0o600, None)?;
            }
            let path = places.data().join(name);
            match good {
                Some(bytes) => durable::write(&path, bytes, 0o600, run_as)?,
                None => durable::remove(&path)?,
            }
        }
        record.release = self.release.clone();
        record.settings = self.settings.clone();
        Ok(record.save(places)?)
    }
}

/// The server that runs has been started with what lies there.
pub(crate) fn remember(places: &Places, record: &Record) -> Result<(), Error> {
    let present = KnownGood::present(places, record)?;
    // One that cannot be read is of no use to anybody.
    if KnownGood::read(places).ok().flatten().as_ref() == Some(&present) {
        return Ok(());
    }
    let path = places.known_good();
    let text = serde_json::to_vec(&present);
    let text = text.map_err(|source| Error::Understand {
        path: path.clone(),
        source,
    })?;
    Ok(durable::write(&path, &text, 0o600, None)?)
}
