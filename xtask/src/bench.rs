//! Measurements. Each prints what it measured beside the floor of the same machine, because
//! milliseconds of one machine say nothing about another.

mod changeover;
mod floor;
mod summary;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// What clients feel of a changeover, beside what a promotion alone takes
    Changeover(changeover::Changeover),
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        match self {
            Self::Changeover(changeover) => changeover.run().await,
        }
    }
}
