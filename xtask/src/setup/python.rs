//! The mail server that tests send to, aiosmtpd: from Python's registry, by its ordinary client, into
//! `target/python/`. Nothing but that folder is changed.

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use upkeep_testkit::releases_source::checkout;

use super::system;
use crate::program::Program;

/// With all that it needs, so that each machine tests with the same.
const PACKAGES: [(&str, &str); 3] = [
    ("aiosmtpd", "1.4.6"),
    ("atpublic", "5.1"),
    ("attrs", "26.1.0"),
];

pub(super) fn bring() -> Result<()> {
    let folder = checkout().join("target/python");
    if !is_whole(&folder) {
        fetch(&folder).context("bring the mail server for tests")?;
    }
    let [(name, version), ..] = PACKAGES;
    eprintln!("{name} {version}: {folder}");
    Ok(())
}

/// Whether all of it is there, in these versions.
fn is_whole(folder: &Utf8Path) -> bool {
    let note = |(name, version)| folder.join(format!("{name}-{version}.dist-info"));
    PACKAGES.map(note).iter().all(|note| note.exists())
}

/// Installs into a folder aside that takes its name when it is whole.
fn fetch(folder: &Utf8Path) -> Result<()> {
    system::bring_program("pip", "python3-pip")?;
    let parent = folder.parent().context("find the folder around it")?;
    std::fs::create_dir_all(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".aside-")
        .tempdir_in(parent)?;
    let inside = Utf8Path::from_path(aside.path()).context("a path in UTF-8")?;
    let packages = PACKAGES.map(|(name, version)| format!("{name}=={version}"));
    eprintln!("downloading {}", packages.join(" "));
    let mut args = vec!["install", "--quiet", "--no-deps", "--target"];
    args.push(inside.as_str());
    args.extend(packages.iter().map(String::as_str));
    Program::new("pip", &args).run()?;
    // An older version may be in its place.
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("remove `{folder}`"))?;
    }
    std::fs::rename(inside, folder).with_context(|| format!("put it into `{folder}`"))
}
