//! System packages, by the package manager of Debian. Only what is missing, and only as root;
//! anybody else is told the command.

use anyhow::{Result, bail};
use upkeep_testkit::releases_source;

use crate::program::{Program, is_there};

/// The major version that tests expect to be installed.
const MAJOR: &str = "15";

/// Installs what is missing of PostgreSQL and of what builds need.
pub(super) fn bring() -> Result<()> {
    let mut packages = Vec::new();
    if releases_source::installed_version(MAJOR).is_none() {
        packages.push("postgresql-15");
    }
    if !is_there("cc") {
        packages.push("gcc");
        packages.push("libc6-dev");
    }
    install(&packages)
}

/// Installs `package` if `program` is not there.
pub(super) fn bring_program(program: &str, package: &str) -> Result<()> {
    if is_there(program) {
        return Ok(());
    }
    install(&[package])
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !nix::unistd::geteuid().is_root() {
        bail!("packages are missing; run: sudo apt-get install --no-install-recommends {list}");
    }
    eprintln!("installing {list}");
    update_lists()?;
    let args = ["install", "--yes", "--quiet", "--no-install-recommends"];
    Program::new("apt-get", &[&args, packages].concat())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

/// Brings the lists of the package sources up to date.
pub(super) fn update_lists() -> Result<()> {
    if !nix::unistd::geteuid().is_root() {
        bail!("the package lists are old or missing; run: sudo apt-get update");
    }
    Program::new("apt-get", &["update", "--quiet"]).run()
}
