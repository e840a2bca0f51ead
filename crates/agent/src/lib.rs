//! Runs PostgreSQL on one host.

pub mod command;
pub mod releases;
