//! Runs every test, after the linters. With nextest if it is there; without it, the same tests run
//! by cargo alone.

use anyhow::Result;
use clap::Args;

use upkeep_testkit::heroku_cli::WITHOUT as WITHOUT_HEROKU;

use crate::program::{Program, is_there};
use crate::{lint, setup};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// For nextest (or `cargo test`, where that is missing), such as the name of a test
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        let missing = setup::bring_for_tests()?;
        lint::run()?;
        // Tests that run the product from outside need it built; cargo does not know that.
        Program::new("cargo", &["build", "--quiet", "--package", "upkeep"]).run()?;
        let without = match &missing {
            Some(error) => {
                eprintln!("warning: {error:#}\nThe test with Heroku's command line is left out.");
                "1"
            }
            None => "",
        };
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        if is_there("cargo-nextest") {
            let nextest = ["nextest", "run", "--workspace"];
            Program::new("cargo", &[&nextest, args.as_slice()].concat())
                .env(WITHOUT_HEROKU, without)
                .run_in_the_open()
        } else {
            eprintln!("cargo-nextest is not installed; running `cargo test` instead");
            let test = ["test", "--workspace", "--quiet"];
            // Real servers share the machine's few cores.
            let few = ["--", "--test-threads=2"];
            Program::new("cargo", &[&test, args.as_slice(), &few].concat())
                .env(WITHOUT_HEROKU, without)
                .run_in_the_open()
        }
    }
}
