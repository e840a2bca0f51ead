//! Brings what the other commands need: system packages, PostgreSQL releases under
//! `target/postgresql/`, a mail server under `target/python/`, and Heroku's command line under
//! `target/heroku-cli/`. A second time it only looks. Nothing but system packages is put outside the
//! checkout.

mod archive;
mod debian;
mod heroku;
mod python;
mod system;

use anyhow::{Context as _, Result};
use clap::Args;
use upkeep_testkit::releases_source::{self, Place};

/// The pair of minor releases that tests and demo change over between.
pub(crate) const OLDER: &str = "15.18";
pub(crate) const NEWER: &str = "15.20";

#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Also bring these releases of PostgreSQL, such as 17.9
    #[arg(value_name = "VERSION")]
    versions: Vec<String>,
}

pub(crate) fn run(wanted: &Wanted) -> Result<()> {
    let versions = wanted.versions.iter().map(String::as_str);
    bring([OLDER, NEWER].into_iter().chain(versions))?;
    python::bring()?;
    heroku::bring()
}

/// A pair that synchronises logical slots.
const WITH_SLOTS: [&str; 2] = ["17.9", "17.10"];

/// Brings all that tests need. Says what could not be brought and can be done without.
pub(crate) fn bring_for_tests(faults: bool) -> Result<Option<anyhow::Error>> {
    bring([OLDER, NEWER])?;
    if faults {
        bring(WITH_SLOTS)?;
    }
    python::bring()?;
    Ok(heroku::bring().err())
}

/// Sees to it that each of `versions` can be found by [`releases_source::find`].
pub(crate) fn bring<'a>(versions: impl IntoIterator<Item = &'a str>) -> Result<()> {
    system::bring()?;
    for version in versions {
        if releases_source::find(version).is_err() {
            fetch(version).with_context(|| format!("bring PostgreSQL {version}"))?;
        }
        match releases_source::find(version)?.place {
            Place::Installed(dir) => eprintln!("PostgreSQL {version}: installed in {dir}"),
            Place::Archive(file) => eprintln!("PostgreSQL {version}: {file}"),
        }
    }
    Ok(())
}

/// Fetches into a folder aside that takes its name when it is whole.
fn fetch(version: &str) -> Result<()> {
    let folder = releases_source::folder(version);
    let parent = folder.parent().context("find the folder of releases")?;
    std::fs::create_dir_all(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".aside-")
        .tempdir_in(parent)?;
    let inside = camino::Utf8Path::from_path(aside.path()).context("a path in UTF-8")?;
    let file = match archive::registry_of(version) {
        Some(registry) => archive::fetch(registry, inside)?,
        None => debian::fetch(version, inside)?,
    };
    std::fs::create_dir_all(&folder)?;
    let name = file.file_name().context("a downloaded file has a name")?;
    std::fs::rename(&file, folder.join(name))
        .with_context(|| format!("put `{name}` into `{folder}`"))
}
