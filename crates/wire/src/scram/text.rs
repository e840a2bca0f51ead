//! The attribute syntax of SCRAM messages: `r=...,s=...,i=...`. No cryptography.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{MAX_MESSAGE, ScramError};

/// Reads attributes of one message in their fixed order.
pub(super) struct Attributes<'a> {
    message: &'static str,
    rest: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(message: &'static str, text: &'a str) -> Self {
        Self {
            message,
            rest: Some(text),
        }
    }

    pub(super) fn malformed(&self, why: &'static str) -> ScramError {
        let message = self.message;
        ScramError::Malformed { message, why }
    }

    /// The value of the next attribute, which must be `name`.
    pub(super) fn take(&mut self, name: char, why: &'static str) -> Result<&'a str, ScramError> {
        let text = self.rest.ok_or_else(|| self.malformed(why))?;
        let (attribute, rest) = match text.split_once(',') {
            Some((attribute, rest)) => (attribute, Some(rest)),
            None => (text, None),
        };
        self.rest = rest;
        let value = attribute.strip_prefix(name);
        let value = value.and_then(|value| value.strip_prefix('='));
        value.ok_or_else(|| self.malformed(why))
    }

    pub(super) fn base64(&self, value: &str, why: &'static str) -> Result<Vec<u8>, ScramError> {
        BASE64_STANDARD
            .decode(value)
            .map_err(|_| self.malformed(why))
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// A message as text, of bounded length.
pub(super) fn bounded<'a>(message: &'static str, bytes: &'a [u8]) -> Result<&'a str, ScramError> {
    let malformed = |why| ScramError::Malformed { message, why };
    if bytes.len() > MAX_MESSAGE {
        return Err(malformed("too long"));
    }
    std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))
}

/// A nonce is printable ASCII without a comma.
pub(super) fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b',')
}
