//! Where everything lies beneath the agent's folder, and who may read it.
//!
//! Folders that we write to as root belong to us, so that nobody who runs an instance can put a
//! link in our way; only the data directory and the socket's folder are the instance's user's.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::Address;

use crate::command::RunAs;
use crate::durable;

/// Of a Unix socket's path, without the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;
/// `/s/<8 digits>/.s.PGSQL.5432`
const SOCKET_BYTES: usize = 3 + 8 + 14;
/// The port that names the socket; nothing listens on TCP.
pub(crate) const PORT: u16 = 5432;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "`{}` is too long for an agent's folder: its Unix sockets would have {length} bytes of at most {SOCKET_PATH_BYTES_MAX}; choose one of at most {} bytes",
        dir.display(), SOCKET_PATH_BYTES_MAX - SOCKET_BYTES
    )]
    TooLong { dir: PathBuf, length: usize },
    #[error("use `{}` as the agent's folder", dir.display())]
    Open { dir: PathBuf, source: io::Error },
    #[error("the agent's folder `{}` has a name that configuration files cannot hold", dir.display())]
    Strange { dir: PathBuf },
    #[error(transparent)]
    Durable(#[from] durable::Error),
}

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
}

impl Layout {
    /// Makes the folders that all instances share.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        let opened = DirBuilder::new().recursive(true).mode(0o711).create(dir);
        let dir = opened
            .and_then(|()| dir.canonicalize())
            .map_err(|source| Error::Open {
                dir: dir.to_owned(),
                source,
            })?;
        let text = dir
            .to_str()
            .filter(|text| !text.contains(['\n', '\r', '\'', '"', '\\']));
        let length = text
            .ok_or_else(|| Error::Strange { dir: dir.clone() })?
            .len()
            + SOCKET_BYTES;
        if length > SOCKET_PATH_BYTES_MAX {
            return Err(Error::TooLong { dir, length });
        }
        let layout = Self { dir };
        durable::folder(&layout.instances(), 0o711, None)?;
        durable::folder(&layout.dir.join("s"), 0o711, None)?;
        Ok(layout)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    pub(crate) fn releases(&self) -> PathBuf {
        self.dir.join("releases")
    }

    fn instances(&self) -> PathBuf {
        self.dir.join("instances")
    }

    pub(crate) fn places(&self, id: InstanceId) -> Places {
        let digits = id.0.simple().to_string();
        // The first digits of an id are the time, and so the same for neighbours.
        let socket_dir = self.dir.join("s").join(&digits[24..]);
        Places {
            dir: self.instances().join(id.to_string()),
            socket_dir,
        }
    }

    pub(crate) fn all(&self) -> io::Result<Vec<InstanceId>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.instances())? {
            let id = entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<InstanceId>().ok());
            found.extend(id);
        }
        found.sort();
        Ok(found)
    }
}

/// The places of one instance.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) dir: PathBuf,
    pub(crate) socket_dir: PathBuf,
}

impl Places {
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub(crate) fn conf(&self) -> PathBuf {
        self.dir.join("conf")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.dir.join("instance.json")
    }

    /// See `marks`.
    pub(crate) fn frozen(&self) -> PathBuf {
        self.dir.join("frozen")
    }

    pub(crate) fn promotion(&self) -> PathBuf {
        self.dir.join("promotion")
    }

    /// See `known_good`.
    pub(crate) fn known_good(&self) -> PathBuf {
        self.dir.join("known_good.json")
    }

    /// Configuration with which it did not start, kept for whoever wrote it.
    pub(crate) fn refused(&self) -> PathBuf {
        self.dir.join("refused")
    }

    /// Says why it runs as at its last good start and not as it was to.
    pub(crate) fn fell_back(&self) -> PathBuf {
        self.dir.join("fell_back")
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix {
            directory: self.socket_dir.display().to_string(),
            port: PORT,
        }
    }

    /// All folders; the data directory is left empty.
    pub(crate) fn make(&self, run_as: Option<&RunAs>) -> Result<(), durable::Error> {
        durable::folder(&self.dir, 0o711, None)?;
        durable::folder(&self.conf(), 0o755, None)?;
        durable::folder(&self.data(), 0o700, run_as)?;
        durable::folder(&self.socket_dir, 0o700, run_as)
    }
}
