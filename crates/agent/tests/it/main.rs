//! The agent against real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod archive;
mod cascade;
mod clean_stop;
mod conformance;
mod copies;
mod databases;
mod facts;
mod reading;
mod rejoin;
mod releases;
mod restarts;
mod silence;
mod switch;
mod world;
