//! The PostgreSQL protocol as bytes: framing, boundary tracker, startup, SCRAM.
//!
//! This crate lets a proxy follow a session closely enough to move it between servers, at nearly no
//! cost, and lets it speak for itself in a login, a probe or a restore. It does no I/O, knows no
//! clock and no randomness (a nonce is an argument), and knows nothing of the product: a byte slice
//! comes in, a verdict or a byte slice goes out.
//!
//! In reading order:
//!
//! * [`frame`]: where messages begin and end. The hot path looks at headers only; a proxy writes out
//!   the very bytes it read. Payload is kept only where somebody asked for it.
//! * [`tracker`]: from the message types of both directions, whether the session is at a *boundary*
//!   (the server owes nothing, the client has closed its cycle) and whether it may move.
//! * [`startup`]: the first packet, which decides what a connection is, and which is replayed at
//!   every re-dial.
//! * [`message`]: builders and parsers of the messages Upkeep itself writes or reads.
//! * [`scram`]: both sides of SCRAM-SHA-256. The server side needs only the role's verifier and
//!   recovers the ClientKey from the login; the client side needs only that key. No password is
//!   ever known here, nor could it be computed.
//! * [`sql_text`]: the few questions about SQL text that no server can answer afterwards, asked of
//!   a tokeniser rather than of a parser.
//!
//! How a proxy follows one direction:
//!
//! ```
//! use upkeep_wire::{frame::Scanner, tracker::Tracker};
//!
//! let (mut from_client, mut tracker) = (Scanner::new(), Tracker::new());
//! let chunk = b"Q\0\0\0\x0dselect 1\0Q\0\0";
//! from_client.scan(chunk, |piece| {
//!     if piece.ends {
//!         tracker.client(piece.tag);
//!     }
//! })?;
//! assert!(tracker.awaits_server(), "one query is on its way");
//! assert!(from_client.mid_message(), "and another has begun");
//! # Ok::<(), upkeep_wire::frame::FrameError>(())
//! ```
//!
//! Two rules hold everywhere. A length or count that a peer announced is never allocated, only
//! bytes that have arrived are. And where the protocol or a text is ambiguous, the answer is the one
//! that keeps the session where it is.

pub mod frame;
pub mod tracker;

pub mod startup;

pub mod message;

pub mod scram;

pub mod sql_text;
