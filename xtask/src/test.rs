//! Runs the tests, after the linters. With nextest if it is there; without it, the same tests run
//! by cargo alone.

use anyhow::Result;
use clap::Args;

use upkeep_testkit::heroku_cli::WITHOUT as WITHOUT_HEROKU;

use crate::program::{Program, is_there};
use crate::{lint, setup};

/// The module of integration tests that are slow; whatever does not lie in it is run at any time.
const FAULTS: &str = "faults::";

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Run what is left out otherwise: crashes, faults and long scenarios on real servers
    #[arg(long)]
    faults: bool,
    /// For nextest (or `cargo test`, where that is missing), such as the name of a test
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        let missing = setup::bring_for_tests(self.faults)?;
        lint::run()?;
        let without = match &missing {
            Some(error) => {
                eprintln!("warning: {error:#}\nThe test with Heroku's command line is left out.");
                "1"
            }
            None => "",
        };
        let args = if is_there("cargo-nextest") {
            self.by_nextest()
        } else {
            eprintln!("cargo-nextest is not installed; running `cargo test` instead");
            self.by_cargo()
        };
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Program::new("cargo", &args)
            .env(WITHOUT_HEROKU, without)
            .run_in_the_open()
    }

    fn by_nextest(&self) -> Vec<String> {
        let faults = format!("test(/^{FAULTS}/)");
        let part = if self.faults {
            faults
        } else {
            format!("not {faults}")
        };
        let run = ["nextest", "run", "--workspace", "--filterset", &part];
        [&run.map(str::to_owned), self.args.as_slice()].concat()
    }

    fn by_cargo(&self) -> Vec<String> {
        let run = ["test", "--workspace", "--quiet"].map(str::to_owned);
        // Real servers share the machine's few cores, and those that are hurt are measured, too.
        let (threads, part) = match (self.faults, self.args.is_empty()) {
            (true, true) => ("--test-threads=1", vec![FAULTS]),
            // Several names mean any of them; these say already what is wanted.
            (true, false) => ("--test-threads=1", vec![]),
            (false, _) => ("--test-threads=2", vec!["--skip", FAULTS]),
        };
        let of_each = [&["--", threads], part.as_slice()].concat();
        let of_each: Vec<String> = of_each.into_iter().map(str::to_owned).collect();
        [&run, self.args.as_slice(), &of_each].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(faults: bool) -> Test {
        Test {
            faults,
            args: vec!["name".to_owned()],
        }
    }

    #[test]
    fn each_test_is_in_exactly_one_of_the_two_parts() {
        let [rest, faults] = [false, true].map(|faults| test(faults).by_nextest());
        let (rest, faults) = (&rest[4], &faults[4]);
        assert_eq!(*rest, format!("not {faults}"));
    }
}
