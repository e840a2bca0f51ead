//! Maintenances: planned work, its status, and how it is carried out.

pub mod method;
mod status;

pub use status::Status;
