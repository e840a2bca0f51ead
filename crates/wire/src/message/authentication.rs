//! The authentication dialogue: what a server asks (`R`) and how a client begins SASL (`p`).

use super::{MessageError, cursor::Cursor};

/// What a server's Authentication message asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthRequest<'a> {
    Ok,
    /// The mechanisms on offer, still zero-separated: see [`AuthRequest::offers`].
    Sasl(&'a [u8]),
    SaslContinue(&'a [u8]),
    SaslFinal(&'a [u8]),
    /// Cleartext, MD5, GSS and others: known by number, not spoken here.
    Unsupported(u32),
}

impl<'a> AuthRequest<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("Authentication", payload);
        let code = cursor.u32("code")?;
        let data = cursor.rest();
        Ok(match code {
            0 => Self::Ok,
            10 => Self::Sasl(data),
            11 => Self::SaslContinue(data),
            12 => Self::SaslFinal(data),
            other => Self::Unsupported(other),
        })
    }

    /// Whether this is a SASL offer that contains `mechanism`.
    pub fn offers(&self, mechanism: &str) -> bool {
        matches!(self, Self::Sasl(names)
            if names.split(|byte| *byte == 0).any(|name| name == mechanism.as_bytes()))
    }
}

/// A client's SASLInitialResponse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaslInitialResponse<'a> {
    pub mechanism: &'a str,
    pub data: &'a [u8],
}

impl<'a> SaslInitialResponse<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, MessageError> {
        let mut cursor = Cursor::new("SASLInitialResponse", payload);
        let mechanism = cursor.cstr("mechanism")?;
        let data = match cursor.i32("length")? {
            -1 => &[][..],
            length => {
                let size =
                    usize::try_from(length).map_err(|_| cursor.impossible("length", length))?;
                cursor.bytes("data", size)?
            }
        };
        Ok(Self { mechanism, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_searched_by_whole_names() {
        let offer = AuthRequest::read(b"\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0").unwrap();
        assert!(offer.offers("SCRAM-SHA-256") && !offer.offers("SCRAM"));
        assert_eq!(
            AuthRequest::read(b"\0\0\0\x05salt"),
            Ok(AuthRequest::Unsupported(5))
        );
    }

    #[test]
    fn an_initial_response_with_a_wrong_length_is_refused() {
        let read = SaslInitialResponse::read(b"SCRAM-SHA-256\0\0\0\0\x03n,,").unwrap();
        assert_eq!((read.mechanism, read.data), ("SCRAM-SHA-256", &b"n,,"[..]));
        assert!(SaslInitialResponse::read(b"X\0\0\0\0\x09n,,").is_err());
        assert!(SaslInitialResponse::read(b"X\0\x80\0\0\0n,,").is_err());
    }
}
