//! The agent against real PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod releases;
