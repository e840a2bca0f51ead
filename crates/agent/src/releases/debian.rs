//! Fetches Debian packages of PostgreSQL from the sources the host is set up with, and unpacks
//! them. Installs nothing: no service is started, no file of the system is touched. Mirrors and
//! proxies are those of apt's own configuration.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{User, geteuid};

use crate::command::{self, Command};

use super::archive::Kind;
use super::unpack;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "`{wanted}` is neither a version such as `15.20` nor that of a package such as `15.20-0+deb12u1`"
    )]
    BadVersion { wanted: String },
    #[error("ask the package sources for `{package}`")]
    Ask {
        package: String,
        source: command::Error,
    },
    #[error(
        "the package sources have no `{package}` of version {wanted}; they have: {}; `apt-get update` may bring more",
        listed(.present)
    )]
    NotThere {
        package: String,
        wanted: String,
        present: Vec<String>,
    },
    #[error("download {}", .packages.join(", "))]
    Download {
        packages: Vec<String>,
        source: command::Error,
    },
    #[error("use `{}` for the download", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Unpack(#[from] unpack::Error),
}

fn listed(versions: &[String]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.join(", ")
}

/// A server package of which the sources have this version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
}

/// A slow mirror is no reason to give up; a dead one is.
const DOWNLOAD: Duration = Duration::from_mins(10);

/// The user to whom `apt-get` gives up its rights while it downloads.
const APT_USER: &str = "_apt";

/// `wanted` is the version of PostgreSQL or of the package.
pub(super) async fn find(wanted: &str) -> Result<Package, Error> {
    let bad = || Error::BadVersion {
        wanted: wanted.to_owned(),
    };
    let (major, rest) = wanted.split_once('.').ok_or_else(bad)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let known = |b: u8| b.is_ascii_alphanumeric() || b".+-~".contains(&b);
    if !digits(major) || rest.is_empty() || !rest.bytes().all(known) {
        return Err(bad());
    }
    let name = format!("postgresql-{major}");
    let present = versions_of(&name).await?;
    match present.iter().find(|version| is_meant(wanted, version)) {
        Some(version) => Ok(Package {
            name,
            version: version.clone(),
        }),
        None => Err(Error::NotThere {
            package: name,
            wanted: wanted.to_owned(),
            present,
        }),
    }
}

/// Downloads the server, its client programs and their library into `folder`, and unpacks all of
/// them into `tree`, in the shape in which they find each other.
pub(super) async fn fetch(package: &Package, folder: &Path, tree: &Path) -> Result<(), Error> {
    let folder_error = |source| Error::Folder {
        path: folder.to_owned(),
        source,
    };
    make_for_apt(folder).map_err(folder_error)?;
    let mut packages = vec![
        format!("{}={}", package.name, package.version),
        format!("{}={}", client_of(&package.name), package.version),
    ];
    // Some sources build the library from another major version; then that of the host must do.
    if versions_of("libpq5").await?.contains(&package.version) {
        packages.push(format!("libpq5={}", package.version));
    }
    let download = Command::new("apt-get")
        .args(["--quiet", "--quiet", "download"])
        .args(&packages)
        .cwd(folder)
        .deadline(DOWNLOAD)
        .die_with_parent();
    if let Err(source) = download.run().await {
        return Err(Error::Download { packages, source });
    }
    for file in fs::read_dir(folder).map_err(folder_error)? {
        let file = file.map_err(folder_error)?.path();
        if file.extension().is_some_and(|ending| ending == "deb") {
            unpack::unpack(&file, Kind::Deb, tree).await?;
        }
    }
    Ok(())
}

fn client_of(server: &str) -> String {
    server.replace("postgresql-", "postgresql-client-")
}

/// As root, `apt-get` downloads as a user of its own, who must be able to write there.
fn make_for_apt(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    if !geteuid().is_root() {
        return Ok(());
    }
    match User::from_name(APT_USER) {
        Ok(Some(user)) => chown(folder, Some(user.uid.as_raw()), None),
        // Without such a user it downloads as root.
        Ok(None) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// All versions the sources have, the newest first.
async fn versions_of(package: &str) -> Result<Vec<String>, Error> {
    let madison = Command::new("apt-cache").args(["madison", package]);
    match madison.die_with_parent().run().await {
        Ok(output) => Ok(versions_in(&output.stdout)),
        Err(source) => Err(Error::Ask {
            package: package.to_owned(),
            source,
        }),
    }
}

/// From lines such as `postgresql-15 | 15.20-0+deb12u1 | http://... Packages`.
fn versions_in(table: &str) -> Vec<String> {
    let version = |line: &str| Some(line.split('|').nth(1)?.trim().to_owned());
    let mut versions: Vec<String> = table.lines().filter_map(version).collect();
    versions.dedup();
    versions
}

/// A package is meant by its whole version, or by what stands before the distribution's part.
fn is_meant(wanted: &str, version: &str) -> bool {
    version == wanted || version.split('-').next() == Some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
postgresql-15 | 15.20-0+deb12u1 | http://mirror/debian-security bookworm-security/main amd64 Packages
postgresql-15 | 15.18-0+deb12u1 | http://mirror/debian bookworm/main amd64 Packages
";

    #[test]
    fn a_package_is_meant_by_either_version_but_not_by_the_beginning_of_one() {
        let versions = versions_in(TABLE);
        assert_eq!(versions, ["15.20-0+deb12u1", "15.18-0+deb12u1"]);
        assert!(is_meant("15.20", &versions[0]) && is_meant("15.20-0+deb12u1", &versions[0]));
        assert!(!is_meant("15.2", &versions[0]) && !is_meant("15.20", &versions[1]));
    }

    #[tokio::test]
    async fn what_is_no_version_is_never_given_to_a_program() {
        for wanted in ["", "15", "15.", "x.1", "15.1 --yes", "-o.1", "15.1/../x"] {
            let error = find(wanted).await.unwrap_err();
            assert!(
                matches!(error, Error::BadVersion { .. }),
                "`{wanted}`: {error}"
            );
        }
    }
}
