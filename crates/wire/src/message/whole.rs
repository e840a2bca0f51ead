//! A message whose payload is already there: passed on, or said again, byte for byte.

use super::put;

/// Appends `tag`, the length, and `payload` as it is.
pub fn put_message(out: &mut Vec<u8>, tag: u8, payload: &[u8]) {
    put(out, tag, |b| b.extend_from_slice(payload));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_framed_and_not_touched() {
        let mut out = Vec::new();
        put_message(&mut out, b'P', b"\0a\0b");
        assert_eq!(out, b"P\0\0\0\x08\0a\0b");
    }
}
