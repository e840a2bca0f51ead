//! The short replies a proxy reads on the way: parameters, the cancel key, the command tag.

use super::{MessageError, cursor::Cursor};

/// A reported setting. Bytes, for its value is in the client's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterStatus<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
}

impl<'a> ParameterStatus<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("ParameterStatus", payload);
        Ok(Self {
            name: cursor.cstr_bytes("name")?,
            value: cursor.cstr_bytes("value")?,
        })
    }
}

/// What cancels the statement of one backend.
#[derive(Clone, PartialEq, Eq)]
pub struct BackendKey {
    pub pid: u32,
    /// 4 to 256 bytes.
    pub secret: Vec<u8>,
}

impl BackendKey {
    /// Reads a BackendKeyData payload.
    pub fn read(payload: &[u8]) -> Result<Self, MessageError> {
        Self::read_as("BackendKeyData", payload)
    }

    pub(crate) fn read_as(message: &'static str, payload: &[u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new(message, payload);
        let pid = cursor.u32("pid")?;
        let secret = cursor.rest();
        if !(4..=256).contains(&secret.len()) {
            return Err(cursor.impossible("length of the secret", secret.len() as u32));
        }
        let secret = secret.to_vec();
        Ok(Self { pid, secret })
    }
}

impl std::fmt::Debug for BackendKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackendKey")
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

/// The tag of a CommandComplete payload, such as `INSERT 0 1`.
pub fn command_tag(payload: &[u8]) -> Result<&str, MessageError> {
    Cursor::new("CommandComplete", payload).cstr("tag")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_four_to_256_secret_bytes_and_never_shows_them() {
        assert!(BackendKey::read(&[0; 7]).is_err());
        assert!(BackendKey::read(&[0; 4 + 257]).is_err());
        let key = BackendKey::read(&[0, 0, 0, 9, 77, 77, 77, 77]).unwrap();
        assert_eq!((key.pid, key.secret.len()), (9, 4));
        assert!(!format!("{key:?}").contains("77"));
    }

    #[test]
    fn tags_and_parameters_are_read() {
        assert_eq!(command_tag(b"LOAD\0"), Ok("LOAD"));
        let status = ParameterStatus::read(b"TimeZone\0UTC\0").unwrap();
        assert_eq!((status.name, status.value), (&b"TimeZone"[..], &b"UTC"[..]));
    }
}
