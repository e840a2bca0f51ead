//! A store in a folder of its own that the user instances run as can reach.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use upkeep_agent::command::RunAs;
use upkeep_agent::releases::Releases;
use upkeep_domain::release::{AddFrom, AddRelease};

/// Where the packages of the host put PostgreSQL.
pub(super) const INSTALLED: &str = "/usr/lib/postgresql/15";

pub(super) struct Store {
    pub(super) releases: Releases,
    pub(super) run_as: Option<RunAs>,
    folder: TempDir,
}

impl Store {
    pub(super) fn new() -> Self {
        Self::in_folder(open_folder())
    }

    fn in_folder(folder: TempDir) -> Self {
        let run_as = RunAs::resolve(None).unwrap();
        let releases = Releases::open(folder.path().join("store"), run_as.clone()).unwrap();
        Self {
            releases,
            run_as,
            folder,
        }
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("store")
    }

    /// The same store at another place.
    pub(super) fn moved(self) -> Self {
        let folder = open_folder();
        fs::rename(self.dir(), folder.path().join("store")).unwrap();
        Self::in_folder(folder)
    }

    /// A place for archives, beside the store.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn assert_empty(&self) {
        let entries = fs::read_dir(self.dir()).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name());
        assert_eq!(names.next().unwrap(), ".lock");
        assert_eq!(names.next(), None);
    }
}

fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

pub(super) fn wish(from: AddFrom) -> AddRelease {
    AddRelease { name: None, from }
}

pub(super) fn archive(path: &Path) -> AddFrom {
    AddFrom::Archive {
        path: path.to_owned(),
        sha256: None,
        root: None,
    }
}

pub(super) fn zip_with(path: &Path, entries: &[(&str, &str)]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

pub(super) enum Entry {
    File(&'static str),
    Link(&'static str, &'static str),
}

/// Names are written as they are, which the writer of tarballs would refuse to do.
pub(super) fn tarball_with(path: &Path, entries: &[Entry]) {
    let file = File::create(path).unwrap();
    let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        let name = match entry {
            Entry::File(name) => name,
            Entry::Link(name, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name_literal(target).unwrap();
                name
            }
        };
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, std::io::empty()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
}
