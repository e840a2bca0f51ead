//! HTTP API: translates, decides nothing.
//!
//! **Invariant:** no SQL, no rule of the product and no state here. A handler reads the request,
//! asks the [`Backend`](backend::Backend), and shows the answer in the words of the contract
//! (`upkeep-api`). HTTP statuses are chosen in `reply` and nowhere else.
//!
//! Reading order: [`backend`], `router`, `authenticate`, `request`, `reply`, then the families of
//! paths: `platform` and `data` are Heroku's, `upkeep` is ours.

pub mod backend;
mod router;

mod authenticate;
mod guard;
mod reply;
mod request;

mod calendar;
mod find;
pub mod resolve;
mod times;

mod data;
mod platform;
mod upkeep;

pub use router::{Services, router, serve};
