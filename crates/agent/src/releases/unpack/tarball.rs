//! `.tar.gz`, which is also what npm packages are.

use std::fs::{self, File};
use std::path::Path;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::{Budget, Error, inside};

pub(super) fn unpack(archive: &Path, into: &Path) -> Result<(), Error> {
    fs::create_dir_all(into)?;
    let mut archive = Archive::new(GzDecoder::new(File::open(archive)?));
    let mut budget = Budget::default();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = inside(&entry.path()?)?;
        budget.spend(entry.size())?;
        let name = || path.display().to_string();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            EntryType::Link => {
                let target = entry.link_name()?.ok_or(Error::Strange { entry: name() })?;
                inside(&target)?;
            }
            EntryType::Symlink => {}
            EntryType::XGlobalHeader => continue,
            _ => return Err(Error::Strange { entry: name() }),
        }
        // Follows no link that an earlier entry made to the outside; says so by `false`.
        if !entry.unpack_in(into)? {
            return Err(Error::Outside { entry: name() });
        }
    }
    Ok(())
}
