//! Bytes nobody can guess: cancel secrets, nonces, the key of mock verifiers.

use std::fmt::Write;

pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    rand::random()
}

pub(crate) fn of_len(len: usize) -> Vec<u8> {
    (0..len).map(|_| rand::random()).collect()
}

/// 36 printable characters: a nonce, or a marker.
pub(crate) fn text() -> String {
    bytes::<18>().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
