//! The HTTP contract: paths, JSON bodies, error ids, typed client.
//!
//! Two families of paths stand side by side. The *platform* and *data* paths are Heroku's, byte for
//! byte, so that its unmodified command line works against us; `/upkeep/v1/…` holds what Heroku has
//! no word for. Names of Heroku's JSON stand only in this crate; nothing here knows what they mean.
//!
//! Reading order: [`paths`], then [`body`], then [`client`].

pub mod body;
pub mod client;
pub mod paths;

/// First UUID in this header names the wish: the same wish sent again is answered, not done again.
pub const REQUEST_ID: &str = "request-id";
