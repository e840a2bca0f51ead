//! Client traffic of PostgreSQL: sessions, holds, moves.
//!
//! The endpoint stands between applications and one primary per database. It forwards every message
//! unchanged, one server connection a client, so every feature of PostgreSQL works through it. What
//! it adds is one ability: it can stop all sessions of a database at a transaction boundary, rebuild
//! each of them on a replacement, and let them go on there. It knows routes and holds and decides
//! nothing: when to hold, and what to release onto, is told to it over its control socket.
//!
//! In reading order:
//!
//! * [`config`], [`endpoint`]: what it is given, and what it runs.
//! * [`directory`], [`routes`], [`database`]: which databases there are, kept on disk; the gate of
//!   each, and its sessions.
//! * [`accept`], [`greet`], [`authority`], [`memory`], [`cancel`]: how a client comes in. It proves itself
//!   against the role's verifier, which yields the key that logs it in at any server of the cluster.
//! * [`link`], [`backend`]: a session at a server.
//! * [`session`], [`order`]: one client and its server session, and what it can be told.
//! * [`state`]: what a session is, read from one server and rebuilt on another.
//! * [`conduct`]: prepare, hold and release, of all sessions of a database.
//! * [`felt`], [`status`]: what clients felt, and what can be seen.
//! * [`control`], [`calls`], [`client`]: the control socket, from both of its ends.
//!
//! Not here yet: TLS (streams are generic, an SSLRequest is answered `N`), and handing sockets over to
//! a newer endpoint.

mod accept;
mod authority;
mod backend;
mod calls;
mod cancel;
pub mod client;
mod conduct;
pub mod config;
mod control;
mod database;
mod directory;
mod endpoint;
mod felt;
mod greet;
mod link;
mod memory;
mod order;
mod routes;
mod secret;
mod session;
mod state;
pub mod status;

pub use client::EndpointClient;
pub use config::{EndpointConfig, Limits};
pub use endpoint::{Endpoint, RunError, StartError};
pub use routes::RouteBookError;
