//! The crate against a real PostgreSQL: the tracker's verdicts, and logins with a ClientKey only.

#![expect(clippy::unwrap_used, reason = "a test stops where its fixture fails")]

mod boundary;
mod login;
mod script;
mod server;
mod session;
