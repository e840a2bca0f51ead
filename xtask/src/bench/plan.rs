//! One look of planning over a large fleet. What it must not take long at is its own: the database reads its rows
//! as fast as it can.

use std::fmt;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::program::Program;

/// Beside reading the rows, on two cores.
const OWN_MAX_S: f64 = 1.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many
    #[arg(long, default_value_t = 100_000)]
    databases: u64,
    /// Print the result as JSON, on the last line of stdout
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize, Serialize)]
struct Figures {
    databases: u64,
    /// So many of them are due.
    planned: u64,
    /// The first look, which writes the plans of those that are due.
    first_s: f64,
    /// A look that finds everything planned as it should be, median of five.
    sweep_s: f64,
    /// Of that, reading the rows into memory.
    read_s: f64,
    /// Peak of the process.
    memory_mb: u64,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let bench = ["bench", "--package", "upkeep-engine", "--bench", "plan"];
    let databases = options.databases.to_string();
    eprintln!("building and measuring");
    let measured = Program::new("cargo", &bench)
        .env("UPKEEP_BENCH_DATABASES", &databases)
        .output()?;
    let line = measured
        .lines()
        .last()
        .context("the benchmark says nothing")?;
    let figures: Figures = serde_json::from_str(line).context("understand the benchmark")?;
    if options.json {
        println!("{}", serde_json::to_string(&figures)?);
    } else {
        print!("{figures}");
    }
    let own_s = figures.own_s();
    if own_s > OWN_MAX_S {
        bail!("planning takes {own_s:.2} s beside reading the rows; it may take {OWN_MAX_S} s");
    }
    Ok(())
}

impl Figures {
    fn own_s(&self) -> f64 {
        self.sweep_s - self.read_s
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            databases,
            planned,
            first_s,
            sweep_s,
            read_s,
            memory_mb,
        } = self;
        let own_s = self.own_s();
        writeln!(f, "{databases} databases, {planned} of them due")?;
        writeln!(f, "first look, plans written  {first_s:8.2} s")?;
        writeln!(f, "a look, nothing to write   {sweep_s:8.2} s")?;
        writeln!(f, "  reading the rows         {read_s:8.2} s")?;
        writeln!(f, "  planning                 {own_s:8.2} s")?;
        writeln!(f, "memory, peak               {memory_mb:8} MB")
    }
}
