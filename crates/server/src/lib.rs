//! HTTP API: translates, decides nothing.
//!
//! **Invariant:** no SQL, no rule of the product and no state here. A handler reads the request,
//! asks the [`Backend`](backend::Backend), and shows the answer in the words of the contract
//! (`upkeep-api`). HTTP statuses are chosen in `reply` and nowhere else.
//!
//! Reading order: [`backend`], `router`, `authenticate`, `reply`, then the families of paths:
//! `platform` and `data` are Heroku's, `upkeep` is ours.

pub mod backend;
pub mod resolve;
