//! Reading a payload front to back without panicking on a hostile count or a missing terminator.

/// A payload that does not hold what its type promises.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    #[error("`{message}` ends inside `{field}`")]
    Short {
        message: &'static str,
        field: &'static str,
    },
    #[error("`{field}` of `{message}` is not UTF-8")]
    NotUtf8 {
        message: &'static str,
        field: &'static str,
    },
    #[error("`{field}` of `{message}` has the impossible value `{value}`")]
    Value {
        message: &'static str,
        field: &'static str,
        value: i64,
    },
}

/// A position in one payload; `message` only names it in errors.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(message: &'static str, payload: &'a [u8]) -> Self {
        Self {
            message,
            rest: payload,
        }
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn bytes(
        &mut self,
        field: &'static str,
        n: usize,
    ) -> Result<&'a [u8], MessageError> {
        let Some((head, tail)) = self.rest.split_at_checked(n) else {
            let message = self.message;
            return Err(MessageError::Short { message, field });
        };
        self.rest = tail;
        Ok(head)
    }

    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, MessageError> {
        Ok(self.bytes(field, 1)?[0])
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, MessageError> {
        let bytes = self.bytes(field, 2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, MessageError> {
        let bytes = self.bytes(field, 4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, MessageError> {
        Ok(self.u32(field)?.cast_signed())
    }

    /// A zero-terminated string without its terminator.
    pub(crate) fn cstr_bytes(&mut self, field: &'static str) -> Result<&'a [u8], MessageError> {
        let message = self.message;
        let end = self.rest.iter().position(|byte| *byte == 0);
        let end = end.ok_or(MessageError::Short { message, field })?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(text)
    }

    pub(crate) fn cstr(&mut self, field: &'static str) -> Result<&'a str, MessageError> {
        let message = self.message;
        std::str::from_utf8(self.cstr_bytes(field)?)
            .map_err(|_| MessageError::NotUtf8 { message, field })
    }

    pub(crate) fn impossible(&self, field: &'static str, value: impl Into<i64>) -> MessageError {
        MessageError::Value {
            message: self.message,
            field,
            value: value.into(),
        }
    }
}
