//! The roles: separate processes of one binary. A role file only builds and joins.

pub mod agent;
mod doors;
pub mod down;
pub mod endpoint;
pub mod process;
pub mod server;
pub mod up;
