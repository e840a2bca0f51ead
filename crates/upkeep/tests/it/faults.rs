//! One part is hurt in a known moment; what comes of it is written in `docs/workflows.md`.
//!
//! The moment is found by crashing the server at a boundary while `upkeep up` looks away: nothing
//! goes on until it looks again.

mod bypassed;
mod controller;
mod endpoint;
mod host;
mod sessions;
