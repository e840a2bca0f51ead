//! Messages a client sends: what Upkeep says to a server in a login, a probe or a restore; and the
//! one reader a proxy needs, for the name and text of a Parse.

use super::{MessageError, cursor::Cursor, put, put_cstr};

/// What a Describe or Close is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Statement,
    Portal,
}

impl Target {
    fn byte(self) -> u8 {
        match self {
            Self::Statement => b'S',
            Self::Portal => b'P',
        }
    }
}

pub fn query(out: &mut Vec<u8>, sql: &str) {
    put(out, b'Q', |b| put_cstr(b, sql));
}

/// Parse `sql` under `name` (empty: the unnamed statement) with the given parameter type OIDs.
pub fn parse(out: &mut Vec<u8>, name: &str, sql: &str, parameter_types: &[u32]) {
    put(out, b'P', |b| {
        put_cstr(b, name);
        put_cstr(b, sql);
        b.extend((parameter_types.len() as u16).to_be_bytes());
        for oid in parameter_types {
            b.extend(oid.to_be_bytes());
        }
    });
}

/// Bind text values; every result column comes as text.
pub fn bind(out: &mut Vec<u8>, portal: &str, statement: &str, values: &[Option<&str>]) {
    put(out, b'B', |b| {
        put_cstr(b, portal);
        put_cstr(b, statement);
        b.extend(0u16.to_be_bytes());
        b.extend((values.len() as u16).to_be_bytes());
        for value in values {
            match value {
                None => b.extend((-1i32).to_be_bytes()),
                Some(text) => {
                    b.extend((text.len() as u32).to_be_bytes());
                    b.extend_from_slice(text.as_bytes());
                }
            }
        }
        b.extend(0u16.to_be_bytes());
    });
}

pub fn describe(out: &mut Vec<u8>, target: Target, name: &str) {
    put(out, b'D', |b| {
        b.push(target.byte());
        put_cstr(b, name);
    });
}

/// Execute a portal; `max_rows` 0 means all.
pub fn execute(out: &mut Vec<u8>, portal: &str, max_rows: u32) {
    put(out, b'E', |b| {
        put_cstr(b, portal);
        b.extend(max_rows.to_be_bytes());
    });
}

pub fn close(out: &mut Vec<u8>, target: Target, name: &str) {
    put(out, b'C', |b| {
        b.push(target.byte());
        put_cstr(b, name);
    });
}

pub fn sync(out: &mut Vec<u8>) {
    put(out, b'S', |_| ());
}

pub fn flush(out: &mut Vec<u8>) {
    put(out, b'H', |_| ());
}

pub fn terminate(out: &mut Vec<u8>) {
    put(out, b'X', |_| ());
}

pub fn copy_data(out: &mut Vec<u8>, data: &[u8]) {
    put(out, b'd', |b| b.extend_from_slice(data));
}

pub fn copy_done(out: &mut Vec<u8>) {
    put(out, b'c', |_| ());
}

pub fn copy_fail(out: &mut Vec<u8>, reason: &str) {
    put(out, b'f', |b| put_cstr(b, reason));
}

/// Starts a SASL exchange with the chosen mechanism.
pub fn sasl_initial_response(out: &mut Vec<u8>, mechanism: &str, data: &[u8]) {
    put(out, b'p', |b| {
        put_cstr(b, mechanism);
        b.extend((data.len() as u32).to_be_bytes());
        b.extend_from_slice(data);
    });
}

pub fn sasl_response(out: &mut Vec<u8>, data: &[u8]) {
    put(out, b'p', |b| b.extend_from_slice(data));
}

/// A client's Parse, as far as a proxy looks into it; `text` may be cut by the capture limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseHead<'a> {
    pub name: &'a [u8],
    pub text: &'a [u8],
}

impl<'a> ParseHead<'a> {
    /// From a whole payload or its beginning, as long as that contains the name.
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("Parse", payload);
        let name = cursor.cstr_bytes("statement name")?;
        let text = cursor.clone().cstr_bytes("text");
        Ok(Self {
            name,
            text: text.unwrap_or(cursor.rest()),
        })
    }
}

/// The text of a client's Query, whole or cut by the capture limit.
pub fn query_text(payload: &[u8]) -> &[u8] {
    payload.strip_suffix(b"\0").unwrap_or(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parse_is_laid_out_as_the_protocol_says() {
        let mut out = Vec::new();
        parse(&mut out, "s1", "select $1", &[23]);
        assert_eq!(out, b"P\0\0\0\x17s1\0select $1\0\0\x01\0\0\0\x17");
    }

    #[test]
    fn a_bind_carries_text_and_null() {
        let mut out = Vec::new();
        bind(&mut out, "", "s", &[Some("7"), None]);
        let expected = b"B\0\0\0\x16\0s\0\0\0\0\x02\0\0\0\x017\xff\xff\xff\xff\0\0";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_zero_byte_cannot_smuggle_a_field() {
        let mut out = Vec::new();
        query(&mut out, "select 1\0evil");
        assert_eq!(out, b"Q\0\0\0\x0dselect 1\0");
    }

    #[test]
    fn the_head_of_a_cut_parse_is_readable() {
        let head = ParseHead::read(b"\0select 'long te").unwrap();
        assert_eq!((head.name, head.text), (&b""[..], &b"select 'long te"[..]));
        assert_eq!(ParseHead::read(b"n\0t\0\0\0").unwrap().text, b"t");
        assert!(ParseHead::read(b"no terminator").is_err());
    }
}
