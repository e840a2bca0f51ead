//! The releases of PostgreSQL that this host has at hand: a folder with one folder for each.
//!
//! A release is added whole or not at all: it is unpacked and tried out in a folder aside, which
//! takes its name only after it has done there what instances will need of it. Which release an
//! instance uses, and when it changes, is decided elsewhere.

mod add;
mod archive;
mod debian;
mod locate;
mod probe;
mod record;
mod settle;
mod unpack;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use upkeep_domain::release::{AddRelease, Catalogue, NotFound, Release, ReleaseName, Version};
use uuid::Uuid;

use crate::command::{Command, RunAs};

/// Why a release was not added, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("use `{}` for releases", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("another release is being added or removed in `{}`; try again when that is done", path.display())]
    Busy { path: PathBuf },
    #[error(transparent)]
    NotFound(#[from] NotFound),
    #[error("release `{name}` has no `{program}`")]
    NoProgram { name: ReleaseName, program: String },
    #[error("there is a release `{name}` already; remove it first or give another name")]
    Exists { name: ReleaseName },
    #[error("release `{name}` is in use; move its instances to another release first")]
    InUse { name: ReleaseName },
    #[error(
        "release `{name}` was {recorded} and is {found} now: it was upgraded where it is installed; remove it and add it again"
    )]
    Changed {
        name: ReleaseName,
        recorded: Version,
        found: Version,
    },
    #[error(transparent)]
    Archive(#[from] archive::Error),
    #[error(transparent)]
    Unpack(#[from] unpack::Error),
    #[error(transparent)]
    Settle(#[from] settle::Error),
    #[error(transparent)]
    Debian(#[from] debian::Error),
    #[error(transparent)]
    Locate(#[from] locate::Error),
    #[error(transparent)]
    Probe(#[from] probe::Error),
    #[error(transparent)]
    Record(#[from] record::Error),
    #[error("the work of adding a release was broken off")]
    BrokenOff(#[from] tokio::task::JoinError),
}

/// Folders that are not releases (yet, or any more) begin with this; no name of a release does.
const ASIDE: &str = ".aside-";
const LOCK: &str = ".lock";

/// The store of one host.
#[derive(Debug, Clone)]
pub struct Releases {
    dir: PathBuf,
    run_as: Option<RunAs>,
}

impl Releases {
    /// Uses `dir`, which is created if need be. `run_as` is who will run the programs.
    pub fn open(dir: impl Into<PathBuf>, run_as: Option<RunAs>) -> Result<Self, Error> {
        let dir = dir.into();
        let opened = DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(&dir)
            .and_then(|()| dir.canonicalize());
        let dir = opened.map_err(|source| Error::Folder { path: dir, source })?;
        Ok(Self { dir, run_as })
    }

    /// All releases. One whose record cannot be read is left out, and logged.
    pub fn list(&self) -> Result<Catalogue, Error> {
        let names = self.entries()?.into_iter();
        let names = names.filter_map(|entry| entry.parse::<ReleaseName>().ok());
        let mut releases = Vec::new();
        for name in names {
            match record::read(&self.dir.join(name.as_str())) {
                Ok(release) => releases.push(release),
                Err(error) => tracing::warn!(%name, %error, "release left out of the list"),
            }
        }
        Ok(Catalogue::new(releases))
    }

    /// `wanted` is a name, or a version of which there is one build.
    pub fn info(&self, wanted: &str) -> Result<Release, Error> {
        Ok(self.list()?.find(wanted)?.clone())
    }

    /// Like `info`, after a look whether the programs still are of that version: an installed
    /// build changes when the host's packages are upgraded.
    pub async fn verified(&self, wanted: &str) -> Result<Release, Error> {
        let release = self.info(wanted)?;
        let found = add::version_now(&release, self.run_as.as_ref()).await?;
        if found == release.version {
            return Ok(release);
        }
        Err(Error::Changed {
            name: release.name,
            recorded: release.version,
            found,
        })
    }

    /// Adds a release after trying it out. After an error nothing of it is left.
    pub async fn add(&self, wish: AddRelease) -> Result<Release, Error> {
        let _lock = self.lock()?;
        let aside = self.aside()?;
        let added = add::add(&self.dir, &aside, self.run_as.as_ref(), wish).await;
        if let Err(source) = remove_folder(&aside).await {
            tracing::warn!(path = %aside.display(), %source, "folder aside not removed");
        }
        added
    }

    /// Removes a release that none of `in_use` names. An installed one is only forgotten.
    pub async fn remove(
        &self,
        name: &ReleaseName,
        in_use: &BTreeSet<ReleaseName>,
    ) -> Result<(), Error> {
        let _lock = self.lock()?;
        let release = self.info(name.as_str())?;
        if in_use.contains(&release.name) {
            return Err(Error::InUse { name: release.name });
        }
        let aside = self.aside()?;
        let folder = self.dir.join(name.as_str());
        fs::rename(&folder, aside.join("tree"))
            .and_then(|()| sync_folder(&self.dir))
            .map_err(|source| folder_error(&folder, source))?;
        remove_folder(&aside)
            .await
            .map_err(|source| folder_error(&aside, source))
    }

    /// A new folder aside; those that a crash has left are removed. Only under the lock.
    fn aside(&self) -> Result<PathBuf, Error> {
        let left_over = |entry: &String| entry.starts_with(ASIDE);
        for entry in self.entries()?.into_iter().filter(left_over) {
            let path = self.dir.join(entry);
            fs::remove_dir_all(&path).map_err(|source| folder_error(&path, source))?;
        }
        let path = self.dir.join(format!("{ASIDE}{}", Uuid::new_v4()));
        let created = DirBuilder::new().mode(0o755).create(&path);
        created.map_err(|source| folder_error(&path, source))?;
        Ok(path)
    }

    fn entries(&self) -> Result<Vec<String>, Error> {
        let names = fs::read_dir(&self.dir).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<String>>>()
        });
        names.map_err(|source| folder_error(&self.dir, source))
    }

    /// Held by whoever changes the store, so that leftovers can be told from work going on.
    fn lock(&self) -> Result<Flock<File>, Error> {
        let path = self.dir.join(LOCK);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| folder_error(&path, source))?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| Error::Busy {
            path: self.dir.clone(),
        })
    }
}

/// A program of `release`, with the libraries that it needs.
pub fn program(release: &Release, program: &str) -> Result<Command, Error> {
    let path = release.program(program).ok_or_else(|| Error::NoProgram {
        name: release.name.clone(),
        program: program.to_owned(),
    })?;
    let command = Command::new(path);
    Ok(match &release.library_dir {
        Some(dir) => command.env("LD_LIBRARY_PATH", dir),
        None => command,
    })
}

fn folder_error(path: &Path, source: io::Error) -> Error {
    Error::Folder {
        path: path.to_owned(),
        source,
    }
}

async fn remove_folder(path: &Path) -> io::Result<()> {
    tokio::fs::remove_dir_all(path).await
}

/// Makes the names in a folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
