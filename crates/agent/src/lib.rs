//! Runs PostgreSQL on one host.

pub mod command;
