//! The endpoint in front of real PostgreSQL servers.

#![expect(clippy::unwrap_used, reason = "a test stops where its fixture fails")]
#![expect(
    clippy::print_stdout,
    reason = "measured figures are shown with the test's output"
)]

mod postgres;
mod raw;
mod world;

mod carrying;
mod chaos;
mod conformance;
mod holding;
mod login;
mod moving;
mod restarting;
mod switching;
