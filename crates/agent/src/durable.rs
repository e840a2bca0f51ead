//! Files that survive a crash: readers see the old one or the new one, never half of one.
//!
//! Knows nothing of what is in them. A link that somebody put in the way is replaced, not followed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::command::RunAs;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("make the folder `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("remove `{}`", path.display())]
    Remove { path: PathBuf, source: io::Error },
}

/// Nothing if it is not there.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Replaces the file; `owner` is who it belongs to if not us.
pub(crate) fn write(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: Option<&RunAs>,
) -> Result<(), Error> {
    let written = replace(path, bytes, mode, owner);
    written.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, bytes: &[u8], mode: u32, owner: Option<&RunAs>) -> io::Result<()> {
    let mut name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let file = put_file(&new, bytes, owner)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_parent(path)
}

/// A new file in place of what is there; closed to others.
fn put_file(path: &Path, bytes: &[u8], owner: Option<&RunAs>) -> io::Result<File> {
    remove_if_there(path)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    if let Some(owner) = owner {
        fchown(&file, Some(owner.uid), Some(owner.gid))?;
    }
    file.write_all(bytes)?;
    Ok(file)
}

/// Puts new files into one folder, all flushed when it returns. Existence is what they mean: one
/// flush of the file system's journal does for all.
pub(crate) fn put_marks(marks: &[(&Path, &[u8])], owner: Option<&RunAs>) -> Result<(), Error> {
    let mut files = Vec::new();
    for (path, bytes) in marks {
        let put = put_file(path, bytes, owner);
        files.push((
            path,
            put.map_err(|source| Error::Write {
                path: (*path).to_owned(),
                source,
            })?,
        ));
    }
    for (path, file) in files {
        let flushed = file.sync_all().and_then(|()| sync_parent(path));
        flushed.map_err(|source| Error::Write {
            path: (*path).to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// Puts an empty file there, not flushed.
pub(crate) fn put(path: &Path, owner: Option<&RunAs>) -> Result<(), Error> {
    let put = put_file(path, b"", owner);
    put.map(drop).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Makes the names in the folder of this file durable.
pub(crate) fn sync_names_beside(path: &Path) -> Result<(), Error> {
    sync_parent(path).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

/// Makes a folder if it is not there; its parent has to be.
pub(crate) fn folder(path: &Path, mode: u32, owner: Option<&RunAs>) -> Result<(), Error> {
    let made = match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    };
    made.and_then(|()| {
        let folder = File::open(path)?;
        if let Some(owner) = owner {
            fchown(&folder, Some(owner.uid), Some(owner.gid))?;
        }
        sync_parent(path)
    })
    .map_err(|source| Error::Folder {
        path: path.to_owned(),
        source,
    })
}

/// Removes a file, for good. It need not be there.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    // What is in a folder that is gone is gone as well.
    let removed = remove_if_there(path).and_then(|()| unless_missing(sync_parent(path)));
    removed.map_err(|source| Error::Remove {
        path: path.to_owned(),
        source,
    })
}

/// Removes a folder with all that is in it. It need not be there.
pub(crate) fn remove_folder(path: &Path) -> Result<(), Error> {
    // A process that was killed a moment ago may still have put something in.
    const TRIES: usize = 10;
    let not_empty = |error: &io::Error| error.kind() == io::ErrorKind::DirectoryNotEmpty;
    let mut tried = fs::remove_dir_all(path);
    for _ in 1..TRIES {
        if tried.as_ref().is_err_and(not_empty) {
            tried = fs::remove_dir_all(path);
        }
    }
    let removed = match tried {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.and_then(|()| sync_parent(path)),
    };
    removed.map_err(|source| Error::Remove {
        path: path.to_owned(),
        source,
    })
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    unless_missing(fs::remove_file(path))
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
