//! Takes in the file that an operator brought: its kind, its checksum, a copy of our own.
//!
//! The copy is what is unpacked, so that the checksum is that of the bytes used.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("copy the archive `{}`", path.display())]
    Copy { path: PathBuf, source: io::Error },
    #[error(
        "`{file}` is no kind of archive that is known; known are: .deb, .whl, .zip, .tgz, .tar.gz"
    )]
    UnknownKind { file: String },
    #[error("`{file}` has the SHA-256 `{found}`, not `{expected}`: it is damaged, or another file")]
    OtherChecksum {
        file: String,
        expected: String,
        found: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deb,
    Wheel,
    Zip,
    TarGz,
}

impl Kind {
    pub(super) fn of(file_name: &str) -> Result<Self, Error> {
        let ends = |ending: &str| file_name.to_ascii_lowercase().ends_with(ending);
        match () {
            () if ends(".deb") => Ok(Self::Deb),
            () if ends(".whl") => Ok(Self::Wheel),
            () if ends(".zip") => Ok(Self::Zip),
            () if ends(".tgz") || ends(".tar.gz") => Ok(Self::TarGz),
            () => Err(Error::UnknownKind {
                file: file_name.to_owned(),
            }),
        }
    }
}

/// A file in our hands.
pub(super) struct Taken {
    pub(super) file_name: String,
    pub(super) kind: Kind,
    pub(super) sha256: String,
    pub(super) copy: PathBuf,
}

pub(super) fn take(path: &Path, expected: Option<&str>, into: &Path) -> Result<Taken, Error> {
    let file_name = path.file_name().unwrap_or_default();
    let file_name = file_name.to_string_lossy().into_owned();
    let kind = Kind::of(&file_name)?;
    let copy = into.join("archive");
    let sha256 = copy_with_checksum(path, &copy).map_err(|source| Error::Copy {
        path: path.to_owned(),
        source,
    })?;
    match expected {
        Some(expected) if !expected.eq_ignore_ascii_case(&sha256) => Err(Error::OtherChecksum {
            file: file_name,
            expected: expected.to_owned(),
            found: sha256,
        }),
        _ => Ok(Taken {
            file_name,
            kind,
            sha256,
            copy,
        }),
    }
}

fn copy_with_checksum(from: &Path, to: &Path) -> io::Result<String> {
    let (mut from, mut to) = (File::open(from)?, File::create_new(to)?);
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
    let mut hex = String::new();
    for byte in digest.finalize() {
        write!(hex, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok(hex)
}
