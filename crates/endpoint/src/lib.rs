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
//! * [`control`], [`calls`], [`client`]: the control socket, seen from both of its ends.

mod calls;
pub mod client;
pub mod config;
mod control;
mod directory;
mod endpoint;
mod routes;
pub mod status;

pub use client::EndpointClient;
pub use config::{EndpointConfig, Limits};
pub use endpoint::{Endpoint, RunError, StartError};
pub use routes::RouteBookError;
