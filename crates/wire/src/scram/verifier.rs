//! What a server stores about a password: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.
//!
//! A verifier checks a login; by itself it cannot log in. It does not know when it expires.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::{ClientKeys, KeyBytes, MECHANISM, hash, hmac, text::base64};

/// Why a stored password is no verifier of ours. The password itself is never shown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VerifierError {
    #[error("stored password is an MD5 hash, to be set again under scram-sha-256")]
    Md5,
    #[error("stored password is no SCRAM-SHA-256 verifier: {0}")]
    Malformed(&'static str),
    #[error("password has characters that SASLprep forbids, or is empty")]
    Password,
}

/// The verifier of one role.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: KeyBytes,
    pub(super) server_key: KeyBytes,
    /// Stands in for a role that does not exist: no proof is accepted.
    pub(super) doomed: bool,
}

impl Verifier {
    /// Reads `pg_authid.rolpassword`.
    pub fn parse(stored: &str) -> Result<Self, VerifierError> {
        if stored.starts_with("md5") {
            return Err(VerifierError::Md5);
        }
        let malformed = VerifierError::Malformed;
        let mut parts = stored.split('$');
        if parts.next() != Some(MECHANISM) {
            return Err(malformed("another mechanism"));
        }
        let (Some(rounds), Some(keys), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("not three parts"));
        };
        let (iterations, salt) = rounds.split_once(':').ok_or(malformed("no salt"))?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(malformed("no ServerKey"))?;
        let iterations: u32 = iterations.parse().map_err(|_| malformed("iterations"))?;
        if iterations == 0 {
            return Err(malformed("iterations"));
        }
        let salt = BASE64_STANDARD.decode(salt);
        Ok(Self {
            iterations,
            salt: salt.map_err(|_| malformed("salt"))?,
            stored_key: key(stored_key).ok_or(malformed("StoredKey"))?,
            server_key: key(server_key).ok_or(malformed("ServerKey"))?,
            doomed: false,
        })
    }

    /// Derives the verifier of a password, as `ALTER ROLE ... PASSWORD` would.
    ///
    /// PostgreSQL keeps a password that SASLprep rejects as it is; here it is refused.
    pub fn from_password(
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, VerifierError> {
        let prepared = stringprep::saslprep(password).map_err(|_| VerifierError::Password)?;
        if prepared.is_empty() || iterations == 0 {
            return Err(VerifierError::Password);
        }
        let prepared = Zeroizing::new(prepared.into_owned());
        let salted = Zeroizing::new(salted_password(prepared.as_bytes(), salt, iterations));
        let client_key = Zeroizing::new(hmac(&*salted, b"Client Key"));
        Ok(Self {
            iterations,
            salt: salt.to_vec(),
            stored_key: hash(&*client_key),
            server_key: hmac(&*salted, b"Server Key"),
            doomed: false,
        })
    }

    /// A verifier for a role that does not exist: the same role always shows the same salt, and the
    /// exchange fails only at its end. `iterations` should be what real roles have.
    pub fn mock(secret: &[u8], role: &str, iterations: u32) -> Self {
        let salt = hmac(secret, role.as_bytes());
        Self {
            iterations,
            salt: salt[..16].to_vec(),
            stored_key: hmac(&salt, b"Stored Key"),
            server_key: hmac(&salt, b"Server Key"),
            doomed: true,
        }
    }

    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Whether `keys` log in against this verifier; false after the password was changed.
    pub fn accepts(&self, keys: &ClientKeys) -> bool {
        !self.doomed && hash(keys.client_key.as_bytes()) == self.stored_key
    }

    /// The stored form. A secret: whoever has it can pose as a server.
    pub fn to_stored(&self) -> String {
        format!(
            "{MECHANISM}${}:{}${}:{}",
            self.iterations,
            base64(&self.salt),
            base64(&self.stored_key),
            base64(&self.server_key)
        )
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

fn key(text: &str) -> Option<KeyBytes> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}

/// `Hi` of RFC 5802: PBKDF2 with one block.
fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> KeyBytes {
    let mut first = salt.to_vec();
    first.extend(1u32.to_be_bytes());
    let mut round = hmac(password, &first);
    let mut salted = round;
    for _ in 1..iterations {
        round = hmac(password, &round);
        salted = super::xor(&salted, &round);
    }
    salted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by PostgreSQL's own algorithm for the example of RFC 7677.
    const RFC_SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";

    #[test]
    fn the_stored_form_reads_back() {
        let salt = BASE64_STANDARD.decode(RFC_SALT).unwrap();
        let verifier = Verifier::from_password("pencil", &salt, 4096).unwrap();
        let stored = verifier.to_stored();
        assert_eq!(
            stored,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
        assert_eq!(Verifier::parse(&stored), Ok(verifier));
    }

    #[test]
    fn other_stored_passwords_are_refused_without_being_shown() {
        let md5 = Verifier::parse("md5d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5, Err(VerifierError::Md5));
        for stored in [
            "",
            "secret",
            "SCRAM-SHA-256$",
            "SCRAM-SHA-256$0:AA==$AA==:AA==",
            "SCRAM-SHA-256$4096:AA==$AA==:AA==",
        ] {
            let refused = Verifier::parse(stored).unwrap_err();
            assert!(matches!(refused, VerifierError::Malformed(_)), "{stored}");
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn equal_passwords_after_saslprep_have_equal_verifiers() {
        let wide = Verifier::from_password("\u{2168}", b"salt", 10);
        assert_eq!(wide, Verifier::from_password("IX", b"salt", 10));
        let control = Verifier::from_password("\u{7}", b"salt", 10);
        assert_eq!(control, Err(VerifierError::Password));
    }

    #[test]
    fn a_mock_is_stable_per_role_and_never_printed() {
        let mock = Verifier::mock(b"secret", "nobody", 4096);
        assert_eq!(mock, Verifier::mock(b"secret", "nobody", 4096));
        assert_ne!(mock.salt, Verifier::mock(b"secret", "other", 4096).salt);
        assert_eq!(format!("{mock:?}"), "Verifier { iterations: 4096, .. }");
    }
}
