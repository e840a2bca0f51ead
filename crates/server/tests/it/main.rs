//! The API over real sockets, in front of a small world that remembers what it is told.

#![allow(clippy::unwrap_used)] // a test may end where it likes

mod attachments;
mod calendars;
mod errors;
mod freezes;
mod maintenances;
mod notices;
mod platform;
mod program;
mod upkeep;
mod waiting;
mod windows;
mod world;
