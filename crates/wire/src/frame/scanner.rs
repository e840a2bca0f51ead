//! The header-only scanner of the hot path: five header bytes and one counter per direction.
//!
//! It works one [`Piece`] at a time so that its caller may stop between two messages (at a hold) and
//! keep the rest of the chunk unscanned. It neither copies nor remembers payload.

use super::{FrameError, HEADER_LEN, payload_len};

/// The part of one message that lies in one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The message type; known from its first byte on.
    pub tag: u8,
    /// Payload length of the whole message; 0 as long as the header is incomplete.
    pub len: u32,
    /// Every byte of the chunk that this piece covers, header bytes included: what a proxy forwards.
    pub bytes: &'a [u8],
    /// The payload bytes among `bytes`.
    pub payload: &'a [u8],
    /// How many payload bytes earlier pieces carried.
    pub offset: u32,
    /// The header is complete with this piece: `len` is known from now on.
    pub starts: bool,
    /// The message is complete with this piece.
    pub ends: bool,
}

/// Follows message headers of one direction through any chunking.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    header: [u8; HEADER_LEN],
    have: usize,
    len: u32,
    need: u32,
}

impl Scanner {
    pub fn new() -> Self {
        Self::default()
    }

    /// A message has begun and is not complete: no boundary, whatever the tracker says.
    pub fn mid_message(&self) -> bool {
        self.have > 0
    }

    /// The next piece at the front of `input`, or `None` when `input` is empty.
    ///
    /// The caller continues with `&input[piece.bytes.len()..]`. After an error the stream has no
    /// known boundary any more and must be closed.
    pub fn step<'a>(&mut self, input: &'a [u8]) -> Result<Option<Piece<'a>>, FrameError> {
        if input.is_empty() {
            return Ok(None);
        }
        let header_bytes = (HEADER_LEN - self.have).min(input.len());
        self.header[self.have..self.have + header_bytes].copy_from_slice(&input[..header_bytes]);
        self.have += header_bytes;
        let starts = header_bytes > 0 && self.have == HEADER_LEN;
        if starts {
            self.len = payload_len(self.header)?;
            self.need = self.len;
        }
        let offset = self.len - self.need;
        let take = (self.need as usize).min(input.len() - header_bytes);
        let end = header_bytes + take;
        self.need -= take as u32;
        let piece = Piece {
            tag: self.header[0],
            len: self.len,
            bytes: &input[..end],
            payload: &input[header_bytes..end],
            offset,
            starts,
            ends: self.have == HEADER_LEN && self.need == 0,
        };
        if piece.ends {
            *self = Self::default();
        }
        Ok(Some(piece))
    }

    /// Every piece of `chunk`, in order.
    pub fn scan<'a>(
        &mut self,
        chunk: &'a [u8],
        mut on: impl FnMut(Piece<'a>),
    ) -> Result<(), FrameError> {
        let mut rest = chunk;
        while let Some(piece) = self.step(rest)? {
            rest = &rest[piece.bytes.len()..];
            on(piece);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(tag: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend((payload.len() as u32 + 4).to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    /// Whole messages as the pieces of `chunks` describe them.
    fn reassemble<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<(u8, u32, Vec<u8>)> {
        let (mut scanner, mut done, mut open) = (Scanner::new(), Vec::new(), Vec::new());
        for chunk in chunks {
            let mut covered = 0;
            scanner
                .scan(chunk, |piece| {
                    covered += piece.bytes.len();
                    assert_eq!(piece.offset as usize, open.len());
                    open.extend_from_slice(piece.payload);
                    if piece.ends {
                        done.push((piece.tag, piece.len, std::mem::take(&mut open)));
                    }
                })
                .unwrap();
            assert_eq!(covered, chunk.len());
        }
        assert!(!scanner.mid_message());
        done
    }

    proptest! {
        #[test]
        fn any_chunking_of_the_same_bytes_gives_the_same_messages(
            messages in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..12),
            cuts in prop::collection::vec(1usize..9, 1..200),
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|(t, p)| message(*t, p)).collect();
            let whole = reassemble(std::iter::once(stream.as_slice()));
            let mut chunks = Vec::new();
            let mut rest = stream.as_slice();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk);
                rest = tail;
            }
            prop_assert_eq!(reassemble(chunks.into_iter()), whole.clone());
            let expected: Vec<_> = messages.into_iter().map(|(t, p)| (t, p.len() as u32, p)).collect();
            prop_assert_eq!(whole, expected);
        }

        #[test]
        fn garbage_never_panics(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..30), 0..20)) {
            let mut scanner = Scanner::new();
            for chunk in &chunks {
                if scanner.scan(chunk, |_| ()).is_err() { break; }
            }
        }
    }

    #[test]
    fn lengths_below_four_and_above_the_signed_range_are_refused() {
        for length in [0u32, 3, 0x8000_0000, u32::MAX] {
            let mut bytes = vec![b'D'];
            bytes.extend(length.to_be_bytes());
            let refused = Scanner::new().step(&bytes);
            assert_eq!(refused, Err(FrameError::Length { tag: b'D', length }));
        }
    }

    #[test]
    fn a_row_of_two_gigabytes_is_only_a_counter() {
        let mut scanner = Scanner::new();
        let mut bytes = vec![b'D'];
        bytes.extend((i32::MAX as u32).to_be_bytes());
        let header = scanner.step(&bytes).unwrap().unwrap();
        assert!(header.starts && !header.ends);
        let piece = scanner.step(&[0; 1000]).unwrap().unwrap();
        assert_eq!((piece.offset, piece.payload.len()), (0, 1000));
        assert!(scanner.mid_message());
    }
}
