//! Everything that can be said about the code without running the product.

use anyhow::Result;

use crate::program::Program;

pub(crate) fn run() -> Result<()> {
    Program::new("cargo", &["fmt", "--all", "--check"]).run()?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    Program::new("cargo", &clippy).run()
}
