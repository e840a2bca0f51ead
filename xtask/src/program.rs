//! Runs other programs for the developer: their talk goes to stderr, so that stdout stays data.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

/// A program to be run in the checkout.
pub(crate) struct Program {
    shown: String,
    command: Command,
}

impl Program {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of the developers' tool that starts programs"
    )]
    pub(crate) fn new(name: &str, args: &[&str]) -> Self {
        let mut command = Command::new(name);
        command
            .args(args)
            .current_dir(upkeep_testkit::releases_source::checkout())
            .stdin(Stdio::null());
        Self {
            shown: [&[name], args].concat().join(" "),
            command,
        }
    }

    pub(crate) fn within(mut self, dir: &Utf8Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end; what it prints is shown as talk.
    pub(crate) fn run(mut self) -> Result<()> {
        self.command.stdout(io::stderr());
        self.run_in_the_open()
    }

    /// Runs it to its end; what it prints is what we print.
    pub(crate) fn run_in_the_open(mut self) -> Result<()> {
        let status = self.command.status();
        let status = status.with_context(|| format!("run `{}`", self.shown))?;
        if !status.success() {
            bail!("`{}` ended with {status}", self.shown);
        }
        Ok(())
    }

    /// Runs it to its end and gives back what it printed. It is silent unless it fails.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self.command.output();
        let output = output.with_context(|| format!("run `{}`", self.shown))?;
        if !output.status.success() {
            io::stderr().write_all(&output.stdout)?;
            io::stderr().write_all(&output.stderr)?;
            bail!("`{}` ended with {}", self.shown, output.status);
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Whether a program can be found and run at all.
pub(crate) fn is_there(name: &str) -> bool {
    let program = Program::new(name, &["--version"]);
    let mut command = program.command;
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
