//! Unpacks an archive into a folder of its own and never outside of it.
//!
//! What names a place outside is refused rather than skipped: an archive that tries it is not one
//! to run programs from. Rights and symbolic links are looked at afterwards, by `settle`.

mod tarball;
mod zipped;

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::command::{self, Command};

use super::archive::Kind;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("unpack the archive: it may be damaged or incomplete")]
    Damaged { source: io::Error },
    #[error("unpack the package: it may be damaged or incomplete")]
    Package { source: command::Error },
    #[error("the archive is refused: its entry `{entry}` would be put outside of its folder")]
    Outside { entry: String },
    #[error(
        "the archive is refused: its entry `{entry}` is neither a file, nor a folder, nor a link"
    )]
    Strange { entry: String },
    #[error("the archive is refused: it would unpack to more than {LARGEST} bytes")]
    TooLarge,
    #[error("unpacking was broken off")]
    BrokenOff { source: tokio::task::JoinError },
}

/// Ten times the largest build seen.
const LARGEST: u64 = 1 << 30;

/// `into` must not exist yet, or be empty.
pub(super) async fn unpack(archive: &Path, kind: Kind, into: &Path) -> Result<(), Error> {
    let unpack_here = match kind {
        Kind::Deb => return package(archive, into).await,
        Kind::Wheel | Kind::Zip => zipped::unpack,
        Kind::TarGz => tarball::unpack,
    };
    let (archive, into) = (archive.to_owned(), into.to_owned());
    let work = move || unpack_here(&archive, &into);
    let unpacked = tokio::task::spawn_blocking(work).await;
    unpacked.map_err(|source| Error::BrokenOff { source })?
}

/// `dpkg-deb` refuses entries outside by itself.
async fn package(archive: &Path, into: &Path) -> Result<(), Error> {
    let command = Command::new("dpkg-deb")
        .arg("--extract")
        .args([archive, into]);
    match command.die_with_parent().run().await {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Package { source }),
    }
}

/// True for a relative path that never goes up.
pub(super) fn stays_inside(path: &Path) -> bool {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.components().all(plain)
}

/// The entry's path, if it stays within.
fn inside(entry: &Path) -> Result<PathBuf, Error> {
    if stays_inside(entry) {
        return Ok(entry.to_owned());
    }
    Err(Error::Outside {
        entry: entry.display().to_string(),
    })
}

/// Counts what was unpacked: a small archive may unpack to a full disk.
#[derive(Default)]
struct Budget {
    spent: u64,
}

impl Budget {
    fn spend(&mut self, bytes: u64) -> Result<(), Error> {
        self.spent = self.spent.saturating_add(bytes);
        if self.spent > LARGEST {
            return Err(Error::TooLarge);
        }
        Ok(())
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Damaged { source }
    }
}
