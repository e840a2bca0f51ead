//! Keeps the beginning of the few payloads that somebody must read (a status byte, a tag, an SQL text).
//!
//! A message that lies whole in one chunk is lent without a copy. The caller decides per message how
//! much it wants; a limit of 0 costs nothing. It does not buffer for forwarding.

use super::Piece;

/// Above this a buffer is given back before the next message: sessions are many and mostly idle.
const KEEP_CAPACITY: usize = 1024;

/// The beginning of a complete message's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Captured<'a> {
    pub tag: u8,
    /// The payload, or its first `limit` bytes.
    pub payload: &'a [u8],
    /// Payload length of the whole message; more than `payload.len()` if the limit cut it.
    pub len: u32,
}

impl Captured<'_> {
    pub fn is_whole(&self) -> bool {
        self.payload.len() == self.len as usize
    }
}

/// Assembles captured payloads of one direction.
#[derive(Debug, Default)]
pub struct Capture {
    kept: Vec<u8>,
}

impl Capture {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one piece; answers when its message is complete. `limit` must be the same for all
    /// pieces of one message (it follows from the tag and the length).
    pub fn feed<'a>(&'a mut self, piece: &Piece<'a>, limit: usize) -> Option<Captured<'a>> {
        if piece.starts {
            self.kept.clear();
            self.kept.shrink_to(KEEP_CAPACITY);
        }
        let whole_here = piece.starts && piece.ends;
        let room = limit.saturating_sub(if whole_here { 0 } else { self.kept.len() });
        let wanted = &piece.payload[..piece.payload.len().min(room)];
        if whole_here {
            return Some(captured(piece, wanted));
        }
        self.kept.extend_from_slice(wanted);
        piece.ends.then(|| captured(piece, &self.kept))
    }
}

fn captured<'a>(piece: &Piece<'_>, payload: &'a [u8]) -> Captured<'a> {
    Captured {
        tag: piece.tag,
        payload,
        len: piece.len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Scanner;

    const STREAM: &[u8] = b"Q\x00\x00\x00\x0dselect 1\0Z\x00\x00\x00\x05I";

    fn capture(chunk_len: usize, limit: usize) -> Vec<(u8, Vec<u8>, bool)> {
        let (mut scanner, mut capture, mut seen) = (Scanner::new(), Capture::new(), Vec::new());
        for chunk in STREAM.chunks(chunk_len) {
            scanner
                .scan(chunk, |piece| {
                    if let Some(c) = capture.feed(&piece, limit) {
                        seen.push((c.tag, c.payload.to_vec(), c.is_whole()));
                    }
                })
                .unwrap();
        }
        seen
    }

    #[test]
    fn a_payload_is_captured_alike_whole_and_in_pieces() {
        for chunk_len in 1..=STREAM.len() {
            let whole = vec![
                (b'Q', b"select 1\0".to_vec(), true),
                (b'Z', b"I".to_vec(), true),
            ];
            assert_eq!(capture(chunk_len, 100), whole);
        }
    }

    #[test]
    fn a_limit_keeps_the_beginning_and_says_so() {
        for chunk_len in 1..=STREAM.len() {
            let cut = vec![(b'Q', b"sel".to_vec(), false), (b'Z', b"I".to_vec(), true)];
            assert_eq!(capture(chunk_len, 3), cut);
        }
    }
}
