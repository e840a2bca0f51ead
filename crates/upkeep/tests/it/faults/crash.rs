//! The server is ended with SIGKILL at every boundary of every step, and started again.
//!
//! Loops over the step tables: a new step is tried without a line here.

mod changeover;
mod clean_stop;
mod failover;
mod followers;
mod plan;
mod provision;
mod restart;
mod standby;
mod switch;
