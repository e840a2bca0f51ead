//! Messages as bytes: builders for both sides, parsers for what Upkeep reads.
//!
//! Builders append to a caller's buffer so that a pipeline is one write. Parsers borrow and never
//! trust a count or length. Messages that only pass through have no type here.

mod authentication;
pub mod backend;
mod cursor;
mod error_response;
pub mod frontend;
mod notification;
mod reply;
mod row;
mod whole;

pub use authentication::{AuthRequest, SaslInitialResponse};
pub use cursor::MessageError;
pub use error_response::ErrorFields;
pub use notification::{Notification, rewrite_pid};
pub use reply::{BackendKey, ParameterStatus, command_tag};
pub use row::DataRow;
pub use whole::put_message;

/// The transaction status of ReadyForQuery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxStatus {
    Idle,
    InTransaction,
    /// In a failed transaction that waits for its ROLLBACK.
    Failed,
}

impl TxStatus {
    /// An unknown or missing byte counts as busy.
    pub fn from_byte(byte: Option<u8>) -> Self {
        match byte {
            Some(b'I') => Self::Idle,
            Some(b'T') => Self::InTransaction,
            _ => Self::Failed,
        }
    }

    pub fn as_byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
        }
    }
}

/// Appends one message whose payload `fill` writes.
fn put(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    put_with_length(out, fill);
}

/// Appends a length word that counts itself and what `fill` writes.
pub(crate) fn put_with_length(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; 4]);
    fill(out);
    let length = (out.len() - start) as u32;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Appends a zero-terminated string. No text that PostgreSQL holds contains a zero byte; one here
/// would end the field early and shift what follows, so the text ends at it.
pub(crate) fn put_cstr(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    let text = text.as_ref();
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    out.extend_from_slice(&text[..end]);
    out.push(0);
}
