//! `release.json`: what is known of a release, in its folder. Paths within the folder are written
//! relative to it, so that the store can be moved.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use upkeep_domain::release::Release;

use super::sync_folder;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("read the record `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("understand the record `{}`", path.display())]
    Understand {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("write the record `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

const FILE: &str = "release.json";

pub(super) fn read(folder: &Path) -> Result<Release, Error> {
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(Error::Read { path, source }),
    };
    let mut release: Release = match serde_json::from_str(&text) {
        Ok(release) => release,
        Err(source) => return Err(Error::Understand { path, source }),
    };
    // Joining leaves the absolute path of an installed release as it is.
    release.bin_dir = folder.join(release.bin_dir);
    release.library_dir = release.library_dir.map(|dir| folder.join(dir));
    Ok(release)
}

/// Readers see the old record or the new one, also after a crash.
pub(super) fn write(folder: &Path, release: &Release) -> Result<(), Error> {
    let path = folder.join(FILE);
    let half_written = folder.join(format!("{FILE}.new"));
    let written = serde_json::to_vec_pretty(&relative(folder, release))
        .map_err(io::Error::from)
        .and_then(|text| {
            let mut file = File::create(&half_written)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&half_written, &path)?;
            sync_folder(folder)
        });
    written.map_err(|source| Error::Write { path, source })
}

fn relative(folder: &Path, release: &Release) -> Release {
    let within = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
    Release {
        bin_dir: within(&release.bin_dir),
        library_dir: release.library_dir.as_deref().map(within),
        ..release.clone()
    }
}
