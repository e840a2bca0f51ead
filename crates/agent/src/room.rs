//! Room on the file system, and how much of it things take.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use upkeep_domain::host_command::{Answer, HostError};

use crate::fault::OrFailed;
use crate::host::{Host, Instance};

#[derive(Debug, thiserror::Error)]
#[error("ask how much room is left at `{}`", path.display())]
pub(crate) struct Error {
    path: PathBuf,
    source: nix::errno::Errno,
}

/// What somebody who is not root may still write.
pub(crate) fn available_bytes(path: &Path) -> Result<u64, Error> {
    let found = statvfs(path).map_err(|source| Error {
        path: path.to_owned(),
        source,
    })?;
    Ok(found.blocks_available() * found.fragment_size())
}

/// Sum of the files beneath. What goes away while we look does not count.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => folder_bytes(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

/// An instance that is yet to be made takes up nothing.
pub(crate) fn room(host: &Host, instance: &Instance) -> Result<Answer, HostError> {
    let available_bytes = available_bytes(&host.layout.dir).or_failed()?;
    Ok(Answer::Room {
        available_bytes,
        instance_bytes: folder_bytes(&instance.places.data()),
    })
}
