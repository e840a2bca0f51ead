//! The real program on real PostgreSQL, from outside: crashed at every step boundary, hurt in every
//! part, and asked for what it must refuse.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod books;
mod bypass;
mod crash;
mod left;
mod load;
mod wait;
mod witness;
mod world;
