//! The real program on real PostgreSQL, from outside: crashed at every step boundary, hurt in every
//! part, and asked for what it must refuse.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends")]
#![allow(
    clippy::print_stderr,
    reason = "figures of a run, and the logs of one that failed"
)]

mod abandoned;
mod books;
mod by_itself;
mod bypass;
mod direct;
mod disk;
mod failover;
mod faults;
mod followers;
mod heroku_cli;
mod left;
mod load;
mod options;
mod outsider;
mod plain_user;
mod planned;
mod promotion;
mod refusals;
mod restarts;
mod state_elsewhere;
mod wait;
mod witness;
mod world;
