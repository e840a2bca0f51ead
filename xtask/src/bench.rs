//! Measurements. Each prints what it measured beside the floor of the same machine, because
//! milliseconds of one machine say nothing about another.

mod floor;
mod plan;
mod row;
mod summary;

use anyhow::Result;
use clap::Subcommand;

use crate::stage::Method;
use row::{Options, Row};

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// What clients feel of a changeover, beside what a promotion alone takes
    Changeover(Options),
    /// What clients feel of a failover, beside what a promotion alone takes
    Failover(Options),
    /// What clients feel of a restart, beside what stop and start alone take
    Restart(Options),
    /// How long one look of planning over a large fleet takes, beside reading its rows
    Plan(plan::Options),
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        let (method, options) = match self {
            Self::Changeover(options) => (Method::Changeover, options),
            Self::Failover(options) => (Method::Failover, options),
            Self::Restart(options) => (Method::Restart, options),
            Self::Plan(options) => return plan::run(&options),
        };
        Row { method, options }.run().await
    }
}
