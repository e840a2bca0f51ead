//! Heroku's own command line, unmodified, pointed at a running Upkeep.
//!
//! Finds it where `cargo xtask setup` has put it, never fetches it. Each command has a home directory
//! that is thrown away and no environment but what it needs: it talks to nobody else.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::timeout;

use crate::releases_source::checkout;
use crate::up::{Ended, Up};

/// The release of which the contract was read; a later one may behave otherwise.
pub const VERSION: &str = "11.10.0";

/// Set by whoever knows that it could not be brought; without it, its absence fails the test.
pub const WITHOUT: &str = "UPKEEP_WITHOUT_HEROKU_CLI";

const WITHIN: Duration = Duration::from_secs(150);
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What npm is told to install into.
pub fn folder() -> Utf8PathBuf {
    checkout().join("target/heroku-cli").join(VERSION)
}

/// Where npm links programs.
pub fn bin_dir() -> Utf8PathBuf {
    folder().join("node_modules/.bin")
}

pub fn program() -> Utf8PathBuf {
    bin_dir().join("heroku")
}

/// Whether somebody has said that it could not be brought.
pub fn is_left_out() -> bool {
    std::env::var(WITHOUT).is_ok_and(|said| !said.is_empty())
}

/// The command line of a person who owns everything in one Upkeep.
pub struct HerokuCli {
    access: Access,
    home: TempDir,
}

/// `client.json` of the product.
#[derive(Deserialize)]
struct Access {
    url: String,
    token: String,
}

impl HerokuCli {
    pub fn of(up: &Up) -> Result<Self> {
        let file = up.dir().join("client.json");
        let text = fs::read_to_string(&file).with_context(|| format!("read `{file}`"))?;
        let access = serde_json::from_str(&text).with_context(|| format!("understand `{file}`"))?;
        let home = TempDir::new().context("make a home directory")?;
        // Otherwise the first command is told of changed terms.
        let cache = home.path().join(".cache/heroku");
        fs::create_dir_all(&cache)
            .and_then(|()| fs::write(cache.join("terms-of-service"), ""))
            .context("furnish the home directory")?;
        Ok(Self { access, home })
    }

    /// Runs a command to its end, whatever that is. It is asked nothing: its input is at its end.
    pub async fn run(&self, args: &[&str]) -> Result<Ended> {
        let program = program();
        let mut command = self.command(&program);
        let output = command.args(args).output();
        let output = timeout(WITHIN, output)
            .await
            .with_context(|| format!("see `heroku {}` end", args.join(" ")))?
            .with_context(|| format!("run `{program}`; `cargo xtask setup` brings it"))?;
        Ok(Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the fixture runs somebody else's program, as a person does"
    )]
    fn command(&self, program: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            // It may have come with a Node of its own.
            .env("PATH", format!("{}:{PATH}", bin_dir()))
            .env("HOME", self.home.path())
            .env("LANG", "C.UTF-8")
            .env("TERM", "dumb")
            .env("HEROKU_HOST", &self.access.url)
            .env("HEROKU_DATA_HOST", "127.0.0.1")
            .env("HEROKU_PARTICLEBOARD_URL", &self.access.url)
            .env("HEROKU_API_KEY", &self.access.token)
            .env("DISABLE_TELEMETRY", "true")
            .env("HEROKU_DISABLE_AUTOUPDATE", "1")
            .env("HEROKU_SKIP_NEW_VERSION_CHECK", "true")
            // Not a checkout: it looks for remotes of git.
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}
