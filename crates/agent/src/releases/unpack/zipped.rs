//! `.zip`, which is also what wheels are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zip::ZipArchive;

use super::{Budget, Error, LARGEST, inside};

pub(super) fn unpack(archive: &Path, into: &Path) -> Result<(), Error> {
    fs::create_dir_all(into)?;
    let mut archive = ZipArchive::new(File::open(archive)?).map_err(io::Error::from)?;
    let mut budget = Budget::default();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::from)?;
        let name = entry.name().map_err(io::Error::from)?.into_owned();
        let target = into.join(inside(Path::new(&name))?);
        if entry.is_dir() {
            fs::create_dir_all(target)?;
            continue;
        }
        // Without links there is no way out by an earlier entry.
        if entry.is_symlink() {
            return Err(Error::Strange { entry: name });
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(target)?;
        // The size in the directory may be a lie.
        let written = io::copy(&mut entry.by_ref().take(LARGEST + 1), &mut file)?;
        budget.spend(written)?;
    }
    Ok(())
}
