//! Makes things happen: workflows and sweeps.
//!
//! * A **procedure** is finite and ordered. Its table is in `domain::procedure`; what each step does
//!   is in [`procedure`]; [`workflow`] is the one driver that runs them all. To start is to insert a
//!   row, to recover is to claim it.
//! * A **sweep** keeps a standing truth: it takes no input and compares what is wanted with what is.
//! * A **request** is what a person asked for: it is judged here and becomes rows, nothing else.
//!
//! **Invariant:** no sockets, no processes, no SQL. The world is behind the ports in [`World`].

mod engine;
mod preflight;
mod procedure;
pub mod request;
mod sweep;
mod workflow;
mod world;

pub use engine::Engine;
pub use sweep::Error as SweepError;
pub use world::{Boundaries, Boundary, Unwatched, World};
