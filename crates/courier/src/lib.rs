//! Brings notices to people: by mail, and by HTTP calls to programs.
//!
//! Knows letters and addresses. Deliberately does not know why a letter is written, who is to have it, or
//! when it is sent again: one [`Delivery`](upkeep_domain::notice::Delivery) is tried once, and what became
//! of it is said in a sentence.
//!
//! Every try sends the same bytes, so that whoever gets a notice twice can tell.
//!
//! Reading order: the settings that people write, then the door, then the two ways.
//!
//! **Invariant:** nothing is read from the environment (no proxy, no password), and no secret is printed.

mod settings;

mod courier;

mod heard;
mod hook;
mod mail;

pub use courier::Courier;
pub use mail::Error;
pub use settings::{EXAMPLE, Settings};
