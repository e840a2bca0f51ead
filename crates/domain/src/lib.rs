//! What things are and what is allowed: pure rules.
//!
//! **Invariant:** nothing here does I/O, starts a task, reads a clock or draws a random number; time
//! and ids come in as arguments. What the engine may ask of the world stands in [`ports`] as traits,
//! implemented elsewhere.
//!
//! Reading order: names and ids, then what PostgreSQL is made of (positions, instances, releases),
//! then what is done to it (commands, holds, what is looked at beforehand, procedures) and what people are told
//! of it, then the doors.

pub mod attachment;
pub mod id;
pub mod name;
pub mod plan;

pub mod credential;
pub mod dry_start;
pub mod instance;
pub mod lsn;
pub mod release;
pub mod route;

pub mod hold;
pub mod host_command;
pub mod maintenance;
pub mod notice;
pub mod preflight;
pub mod procedure;
pub mod standby;

pub mod error_chain;
pub mod file;
pub mod millis;
pub mod ports;
pub mod refusal;
