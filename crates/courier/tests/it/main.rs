//! The courier against real other sides: a mail server, and programs that are called by HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod hook;
mod listener;
mod mail;
mod world;
