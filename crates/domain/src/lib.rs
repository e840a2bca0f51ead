//! What things are and what is allowed: pure rules, no I/O.

pub mod release;
