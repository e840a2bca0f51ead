//! Where a checkout has its PostgreSQL releases: installed on the machine, or as an archive that
//! `cargo xtask setup` has put under `target/postgresql/VERSION/`.
//!
//! Finds, never fetches: a test without network must say what is missing, not download it.

use std::fs;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum Error {
    #[error(
        "find PostgreSQL {version}: neither installed nor in `{folder}`; `cargo xtask setup` brings it"
    )]
    Missing {
        version: String,
        folder: Utf8PathBuf,
    },
}

/// One release that can be given to `upkeep releases:add`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSource {
    pub version: String,
    pub place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The folder above `bin`.
    Installed(Utf8PathBuf),
    Archive(Utf8PathBuf),
}

impl ReleaseSource {
    /// The options of `releases:add` that say where it is.
    pub fn options(&self) -> [String; 2] {
        match &self.place {
            Place::Installed(dir) => ["--system".to_owned(), dir.to_string()],
            Place::Archive(file) => ["--file".to_owned(), file.to_string()],
        }
    }
}

/// The checkout that this was compiled in.
pub fn checkout() -> &'static Utf8Path {
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("this crate lies two folders deep in the checkout")
}

/// Where the archive of `version` belongs.
pub fn folder(version: &str) -> Utf8PathBuf {
    checkout().join("target/postgresql").join(version)
}

/// Finds a release; one that is installed goes before an archive of the same version.
pub fn find(version: &str) -> Result<ReleaseSource, Error> {
    let place = installed(version).or_else(|| archive(version));
    let missing = || Error::Missing {
        version: version.to_owned(),
        folder: folder(version),
    };
    Ok(ReleaseSource {
        version: version.to_owned(),
        place: place.ok_or_else(missing)?,
    })
}

fn installed(version: &str) -> Option<Place> {
    let major = version.split('.').next()?;
    let is_it = installed_version(major)? == version;
    is_it.then(|| Place::Installed(installed_dir(major)))
}

fn archive(version: &str) -> Option<Place> {
    let entries = fs::read_dir(folder(version)).ok()?;
    let mut files = entries.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok());
    files
        .find(|file| Utf8Path::is_file(file))
        .map(Place::Archive)
}

/// Where the distribution's packages put a major version.
pub fn installed_dir(major: &str) -> Utf8PathBuf {
    Utf8Path::new("/usr/lib/postgresql").join(major)
}

/// Which minor version of it is installed, said by the server program itself.
pub fn installed_version(major: &str) -> Option<String> {
    let program = installed_dir(major).join("bin/postgres");
    let said = version_command(&program).output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    // `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`
    said.split(' ').nth(2).map(|word| word.trim().to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fixture of tests: it must not lean on the code that it judges"
)]
fn version_command(program: &Utf8Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_release_is_found_by_the_version_it_says() {
        let version = installed_version("15").expect("PostgreSQL 15 is installed");
        let found = find(&version).expect("what is installed is found");
        assert_eq!(found.options(), ["--system", "/usr/lib/postgresql/15"]);
    }

    #[test]
    fn a_missing_release_says_how_to_bring_it() {
        let error = find("15.0").unwrap_err().to_string();
        assert!(
            error.contains("15.0") && error.contains("cargo xtask setup"),
            "{error}"
        );
    }
}
