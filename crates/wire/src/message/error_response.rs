//! ErrorResponse: built for clients, read from servers. NoticeResponse has the same fields.

use super::{MessageError, cursor::Cursor, put, put_cstr};

/// The fields of an ErrorResponse or NoticeResponse that Upkeep sets or looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorFields {
    /// Untranslated: `ERROR`, `FATAL`, `PANIC`, `NOTICE`, ...
    pub severity: String,
    /// The five characters of an SQLSTATE.
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl ErrorFields {
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new("ERROR", code, message.into())
    }

    /// The session ends with it.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self::new("FATAL", code, message.into())
    }

    fn new(severity: &str, code: &str, message: String) -> Self {
        Self {
            severity: severity.to_owned(),
            code: code.to_owned(),
            message,
            detail: None,
            hint: None,
        }
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The server ends the session after this message.
    pub fn is_fatal(&self) -> bool {
        matches!(self.severity.as_str(), "FATAL" | "PANIC")
    }

    /// Appends an ErrorResponse.
    pub fn put(&self, out: &mut Vec<u8>) {
        let fields = [
            (b'S', Some(&self.severity)),
            (b'V', Some(&self.severity)),
            (b'C', Some(&self.code)),
            (b'M', Some(&self.message)),
            (b'D', self.detail.as_ref()),
            (b'H', self.hint.as_ref()),
        ];
        put(out, b'E', |b| {
            for (kind, text) in fields {
                if let Some(text) = text {
                    b.push(kind);
                    put_cstr(b, text);
                }
            }
            b.push(0);
        });
    }

    /// Reads a payload; text that is not UTF-8 is shown as well as it can be.
    pub fn read(payload: &[u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("ErrorResponse", payload);
        let mut fields = Self::new("", "", String::new());
        loop {
            let kind = cursor.byte("field type")?;
            if kind == 0 {
                return Ok(fields);
            }
            let text = String::from_utf8_lossy(cursor.cstr_bytes("field")?).into_owned();
            match kind {
                b'S' if fields.severity.is_empty() => fields.severity = text,
                b'V' => fields.severity = text,
                b'C' => fields.code = text,
                b'M' => fields.message = text,
                b'D' => fields.detail = Some(text),
                b'H' => fields.hint = Some(text),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::MessageBuffer;

    #[test]
    fn an_error_reads_back_as_it_was_built() {
        let error = ErrorFields::fatal("57P01", "terminating connection")
            .with_detail("maintenance")
            .with_hint("reconnect");
        let mut out = Vec::new();
        error.put(&mut out);
        let mut buffer = MessageBuffer::with_limit(1000);
        buffer.push(&out);
        let message = buffer.next_message().unwrap().unwrap();
        assert_eq!(message.tag, b'E');
        assert_eq!(ErrorFields::read(&message.payload), Ok(error));
    }

    #[test]
    fn the_untranslated_severity_wins() {
        let fields = ErrorFields::read(b"SCHYBA\0VERROR\0C42601\0Mm\0F\0\0").unwrap();
        assert_eq!(fields.severity, "ERROR");
        assert!(!fields.is_fatal());
    }

    #[test]
    fn a_missing_terminator_is_an_error() {
        assert!(ErrorFields::read(b"SERROR").is_err());
        assert!(ErrorFields::read(b"").is_err());
    }
}
