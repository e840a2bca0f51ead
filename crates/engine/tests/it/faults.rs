//! The loops over all step tables: hundreds of runs, each disturbed at another place. They take minutes:
//! `cargo xtask test --faults` runs them, `cargo xtask test` all others.

mod cancelled;
mod crashes;
mod failures;
mod stuck;
mod takeover;
