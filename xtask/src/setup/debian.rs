//! A release of PostgreSQL from the package sources of the machine: downloaded and repacked as one
//! archive, not installed.

use std::fs;

use anyhow::{Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::system;
use crate::program::Program;

/// Brings the release into `folder`, as an archive that a release store takes.
pub(super) fn fetch(version: &str, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    let packages = packages(version)?;
    eprintln!("downloading {}", packages.join(" "));
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    let download = ["--quiet", "--quiet", "download"];
    Program::new("apt-get", &[&download, names.as_slice()].concat())
        .within(folder)
        .output()?;
    let tree = folder.join("tree");
    for entry in folder.read_dir_utf8()? {
        let file = entry?.into_path();
        if file.extension() == Some("deb") {
            Program::new("dpkg-deb", &["--extract", file.as_str(), tree.as_str()]).run()?;
        }
    }
    let archive = folder.join(format!("postgresql-{version}.tar.gz"));
    let args = [
        "--use-compress-program=gzip -1",
        "-cf",
        archive.as_str(),
        "usr",
    ];
    Program::new("tar", &args).within(&tree).run()?;
    fs::remove_dir_all(&tree)?;
    Ok(archive)
}

/// The server, its client programs and their library, each as `name=version`.
fn packages(version: &str) -> Result<Vec<String>> {
    let Some((major, _)) = version.split_once('.') else {
        bail!("`{version}` is no version such as 15.20");
    };
    let server = format!("postgresql-{major}");
    let mut found = package_version(&server, version)?;
    if found.is_none() {
        system::update_lists()?;
        found = package_version(&server, version)?;
    }
    let Some(found) = found else {
        bail!("the package sources have no `{server}` {version}");
    };
    let mut packages = vec![
        format!("{server}={found}"),
        format!("postgresql-client-{major}={found}"),
    ];
    // Some sources build the library from another major version; then that of the machine must do.
    if package_version("libpq5", version)?.as_ref() == Some(&found) {
        packages.push(format!("libpq5={found}"));
    }
    Ok(packages)
}

/// The package's version for a version of PostgreSQL, if the sources have it.
fn package_version(package: &str, version: &str) -> Result<Option<String>> {
    let table = Program::new("apt-cache", &["madison", package]).output()?;
    Ok(versions_in(&table).find(|found| found.split('-').next() == Some(version)))
}

/// From lines such as `postgresql-15 | 15.20-0+deb12u1 | … Packages`.
fn versions_in(table: &str) -> impl Iterator<Item = String> + '_ {
    let version = |line: &str| Some(line.split('|').nth(1)?.trim().to_owned());
    table.lines().filter_map(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_the_second_column() {
        let table =
            "postgresql-15 | 15.20-0+deb12u1 | mirror Packages\n\npostgresql-15 | 15.18-0 | x\n";
        assert_eq!(
            versions_in(table).collect::<Vec<_>>(),
            ["15.20-0+deb12u1", "15.18-0"]
        );
    }
}
