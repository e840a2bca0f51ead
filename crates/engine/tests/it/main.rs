//! The engine with its real store, in a simulated world: whatever fails, whenever the engine dies,
//! every run ends as its table says and no rule of the product is broken on the way.
//!
//! The proofs are loops over the step tables: a new step is tested without a line here. What agents
//! and endpoints really do is tested with them.

mod attachments;
mod case;
mod faults;
mod followers;
mod forecast;
mod freezes;
mod notices;
mod preflight;
mod preparing;
mod requests;
mod required;
mod requirements;
mod restarts;
mod sequences;
mod stage;
mod standbys;
mod sweeps;
mod table;
mod turns;
mod undisturbed;
mod watch;
mod windows;
mod world;
