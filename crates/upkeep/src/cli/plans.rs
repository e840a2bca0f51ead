//! Arguments about plans.

use clap::Args;

#[derive(Clone, Debug, Args)]
pub struct Plans {
    /// Print the built-in table instead, in the format of `upkeep up --plans`
    #[arg(long)]
    pub defaults: bool,
}
