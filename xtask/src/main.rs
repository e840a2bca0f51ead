//! The one door for developers: set up a machine, see the product at work, test it, measure it.
//!
//! stdout is data, stderr is talk, as in the product itself.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for people at a terminal"
)]

mod bench;
mod demo;
mod figures;
mod lint;
mod program;
mod setup;
mod stage;
mod test;
#[cfg(test)]
mod tidy;
mod timeline;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring what the other commands need: system packages, PostgreSQL releases, Heroku's command line
    Setup(setup::Wanted),
    /// Change a database over under load, and show what its clients felt
    Demo(demo::Demo),
    /// Lint, then run the tests, or with --faults those that are left out; further arguments go to nextest
    Test(test::Test),
    /// Format check, clippy without warnings, house rules
    Lint,
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Setup(wanted) => setup::run(&wanted)?,
        Command::Demo(demo) => return demo.run().await,
        Command::Test(test) => test.run()?,
        Command::Lint => lint::run()?,
        Command::Bench(bench) => bench.run().await?,
    }
    Ok(ExitCode::SUCCESS)
}
