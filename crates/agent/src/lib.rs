//! Runs PostgreSQL on one host.
//!
//! The agent is told what to do by [`upkeep_domain::host_command`] and knows nothing of workflows:
//! it does one command on one instance, writes down that it did, and answers. PostgreSQL outlives
//! it. Whatever the agent needs to know after a restart is on disk: what it was told ([`Agent`]'s
//! journal), what each instance is, and the processes themselves, which are found in `/proc`.
//!
//! Three rules hold everywhere:
//! * A command that is repeated is answered with what came of it the first time; one from a
//!   controller that lost its claim is refused. Commands on one instance are done one at a time.
//! * What is true is looked at, never assumed: a process is its pid *and* start time, a server is
//!   its system identifier *and* the token in its data directory, a stop is what `pg_control` says.
//! * A frozen instance is never thawed but by a command. On silence it is killed.
//!
//! On disk, beneath the folder the agent is given:
//! ```text
//! instances/<id>/data           the data directory, of the user that instances run as
//! instances/<id>/conf           configuration that Upkeep owns, apart from the user's own
//! instances/<id>/log            what the server says
//! instances/<id>/instance.json  what we know of it
//! instances/<id>/{frozen,promotion}  what was begun in the middle of a switch
//! instances/<id>/known_good.json  configuration of its last good start
//! instances/<id>/{refused,fell_back}  configuration with which it did not start, and why
//! s/<last 8 digits of id>       its Unix socket; short, for such paths have 107 bytes at most
//! journal                       commands and their outcomes
//! releases/                     the PostgreSQL releases of this host
//! ```
//!
//! Reading order: the way in, what is kept on disk, what is looked at, then what is done.

// The way in.
mod agent;
pub mod client;
mod fault;
mod host;
mod listen;

// What is kept on disk.
mod configuration;
mod durable;
mod flush;
mod identity;
mod journal;
mod known_good;
mod layout;
mod marks;
mod record;

// What is looked at.
mod activity;
pub mod control_data;
mod dry_start;
mod facts;
mod floors;
mod mark;
mod observe;
mod pause;
mod process;
mod room;
mod session;
mod shared_memory;
pub mod wal;

// What is done.
mod archive;
mod copy;
mod create;
mod database;
mod disarm;
mod follow;
mod freeze;
mod inherit;
mod patch;
mod postmaster;
mod promote;
mod rejoin;
mod remove;
mod restart;
mod roles;
mod silence;
mod slot;
mod start;

// Shared with everybody: how processes are started, and which releases there are.
pub mod command;
pub mod releases;

pub use agent::{Agent, AgentConfig, OpenError};
pub use client::AgentClient;
pub use listen::serve;
