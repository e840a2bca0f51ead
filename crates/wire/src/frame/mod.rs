//! Framing: where one message ends and the next begins, and nothing more.
//!
//! After login every PostgreSQL message is a type byte, a four-byte length that counts itself, and
//! a payload. [`Scanner`] follows those headers through any chunking without keeping payload, so a
//! 1 GB row costs a proxy five bytes. [`Capture`] keeps the few small payloads somebody must read;
//! [`MessageBuffer`] cuts whole messages where a dialogue is short (login, probe, restore).
//! Nothing here allocates by a length the peer announced, and nothing knows what a message means.

mod buffer;
mod capture;
mod scanner;

pub use buffer::{Message, MessageBuffer};
pub use capture::{Capture, Captured};
pub use scanner::{Piece, Scanner};

/// Type byte and length word.
pub const HEADER_LEN: usize = 5;

/// Why a byte stream cannot be PostgreSQL messages.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// The length word counts itself, so it is at least 4, and it is a signed 32-bit number.
    #[error("message of type `{}` announces the impossible length `{length}`", tag.escape_ascii())]
    Length { tag: u8, length: u32 },
    /// Only [`MessageBuffer`] refuses by size; the [`Scanner`] forwards anything.
    #[error("message of type `{}` announces `{length}` bytes, limit `{limit}`", tag.escape_ascii())]
    TooLong { tag: u8, length: u32, limit: usize },
}

/// The payload length out of a complete header.
fn payload_len(header: [u8; HEADER_LEN]) -> Result<u32, FrameError> {
    let [tag, word @ ..] = header;
    let length = u32::from_be_bytes(word);
    if length < 4 || length > i32::MAX as u32 {
        return Err(FrameError::Length { tag, length });
    }
    Ok(length - 4)
}
