//! What is slow because much has to go wrong in it, or because it waits for a server to be made
//! whole: `cargo xtask test --faults` runs these, `cargo xtask test` all others.
//!
//! One part is hurt in a known moment; what comes of it is written in `docs/workflows.md`. The
//! moment is found by crashing the server at a boundary while `upkeep up` looks away: nothing goes
//! on until it looks again.

mod awaited;
mod ballast;
mod both_down;
mod bypassed;
mod cancelled;
mod consumer;
mod controller;
mod crash;
mod demands;
mod endpoint;
mod failover;
mod followers;
mod full;
mod host;
mod kept;
mod killed;
mod outlived;
mod restarts;
mod sessions;
mod settings;
mod slots;
mod standby;
mod stuck;
mod unheard;
