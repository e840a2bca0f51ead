//! What we know of an instance that its data directory does not say: `instance.json`.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use upkeep_domain::instance::{Address, InstanceSettings};
use upkeep_domain::release::ReleaseName;

use crate::durable;
use crate::layout::Places;
use crate::marks;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("understand `{}`", path.display())]
    Understand {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Write(#[from] durable::Error),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    /// A copy streams from here until it is promoted.
    pub(crate) upstream: Option<Upstream>,
    /// A copy that may be promoted in its source's place.
    #[serde(default = "yes")]
    pub(crate) takes_over: bool,
    /// Logical slots of its source are synchronised to it.
    #[serde(default)]
    pub(crate) syncs_slots: bool,
    /// False while initdb or the copy is under way: what is there is half of it.
    pub(crate) complete: bool,
    /// Why the last copy did not become complete.
    pub(crate) copy_failed: Option<String>,
    pub(crate) copied_bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Upstream {
    pub(crate) address: Address,
    pub(crate) slot: String,
}

/// As all copies were before some of them became followers.
fn yes() -> bool {
    true
}

impl Record {
    pub(crate) fn new(release: ReleaseName, settings: InstanceSettings) -> Self {
        Self {
            release,
            settings,
            upstream: None,
            takes_over: true,
            syncs_slots: false,
            complete: false,
            copy_failed: None,
            copied_bytes: None,
        }
    }

    /// A standby that nobody has asked to become anything else.
    pub(crate) fn must_be_standby(&self, places: &Places) -> Result<bool, marks::Error> {
        Ok(self.upstream.is_some() && !marks::promotion_requested(places)?)
    }

    pub(crate) fn read(places: &Places) -> Result<Option<Self>, Error> {
        let path = places.record();
        match std::fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(record) => Ok(Some(record)),
                Err(source) => Err(Error::Understand { path, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read { path, source }),
        }
    }

    pub(crate) fn save(&self, places: &Places) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self).map_err(|source| Error::Understand {
            path: places.record(),
            source,
        })?;
        Ok(durable::write(&places.record(), &text, 0o644, None)?)
    }
}
