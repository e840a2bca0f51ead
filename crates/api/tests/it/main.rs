//! The client against a server that answers badly, or not at all.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod answers;
mod bad_server;
