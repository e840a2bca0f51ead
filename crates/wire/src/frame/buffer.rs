//! Whole messages for short dialogues: login, probe, restore, cancel.
//!
//! Not for client traffic: it copies every payload, and refuses one above its limit.

use super::{FrameError, HEADER_LEN, payload_len};

/// One complete message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub tag: u8,
    pub payload: Vec<u8>,
}

/// Collects bytes as they arrive and hands out whole messages.
#[derive(Debug)]
pub struct MessageBuffer {
    bytes: Vec<u8>,
    start: usize,
    limit: usize,
}

impl MessageBuffer {
    /// A buffer that refuses a message with a payload above `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            limit,
        }
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message; `None` asks for more bytes.
    pub fn next_message(&mut self) -> Result<Option<Message>, FrameError> {
        let Some(header) = self.bytes[self.start..].first_chunk::<HEADER_LEN>() else {
            return Ok(None);
        };
        let length = payload_len(*header)?;
        let tag = header[0];
        if length as usize > self.limit {
            let limit = self.limit;
            return Err(FrameError::TooLong { tag, length, limit });
        }
        let from = self.start + HEADER_LEN;
        let Some(payload) = self.bytes.get(from..from + length as usize) else {
            return Ok(None);
        };
        let payload = payload.to_vec();
        self.start = from + length as usize;
        Ok(Some(Message { tag, payload }))
    }

    /// Bytes behind the last message handed out: they belong to whoever reads the stream next.
    pub fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.start);
        self.bytes.clear();
        self.start = 0;
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_and_the_rest_is_kept() {
        let mut buffer = MessageBuffer::with_limit(16);
        buffer.push(b"Z\0\0\0\x05");
        assert_eq!(buffer.next_message(), Ok(None));
        buffer.push(b"IN\0\0\0\x04Z\0");
        let mut tags = Vec::new();
        while let Some(message) = buffer.next_message().unwrap() {
            tags.push((message.tag, message.payload));
        }
        assert_eq!(tags, vec![(b'Z', b"I".to_vec()), (b'N', vec![])]);
        assert_eq!(buffer.take_rest(), b"Z\0");
    }

    #[test]
    fn a_message_above_the_limit_is_refused_from_its_header() {
        let mut buffer = MessageBuffer::with_limit(16);
        buffer.push(b"D\x40\0\0\0");
        let refused = FrameError::TooLong {
            tag: b'D',
            length: 0x4000_0000 - 4,
            limit: 16,
        };
        assert_eq!(buffer.next_message(), Err(refused));
    }
}
