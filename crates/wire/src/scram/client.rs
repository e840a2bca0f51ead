//! The client side: logs in with keys instead of a password, and checks the server in turn.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::text::{Attributes, base64, bounded, is_nonce};
use super::{ClientKeys, MAX_ITERATIONS, ScramError, hash, hmac, xor};

const FIRST: &str = "server-first-message";
const FINAL: &str = "server-final-message";
const GS2_HEADER: &str = "n,,";

/// A login before the server's challenge.
pub struct ClientExchange {
    keys: ClientKeys,
    nonce: String,
    first_bare: String,
}

/// A login whose proof is sent, and whose server has yet to prove itself.
pub struct AwaitingSignature {
    expected: [u8; 32],
}

impl ClientExchange {
    /// Makes the first message. `nonce` must be unpredictable and printable ASCII without commas.
    pub fn begin(keys: ClientKeys, nonce: &str) -> (Self, String) {
        let first_bare = format!("n=,r={nonce}");
        let first = format!("{GS2_HEADER}{first_bare}");
        let nonce = nonce.to_owned();
        let exchange = Self {
            keys,
            nonce,
            first_bare,
        };
        (exchange, first)
    }

    /// Takes the challenge; answers with the proof. The salt is not needed: the keys have it in them.
    pub fn prove(self, server_first: &[u8]) -> Result<(AwaitingSignature, String), ScramError> {
        let server_first = bounded(FIRST, server_first)?;
        let mut attributes = Attributes::new(FIRST, server_first);
        let nonce = attributes.take('r', "no nonce")?;
        let continues = nonce
            .strip_prefix(self.nonce.as_str())
            .is_some_and(is_nonce);
        if !continues {
            return Err(ScramError::Nonce);
        }
        let salt = attributes.take('s', "no salt")?;
        attributes.base64(salt, "salt is not base64")?;
        let iterations = attributes.take('i', "no iterations")?;
        match iterations.parse::<u64>() {
            Ok(count) if (1..=u64::from(MAX_ITERATIONS)).contains(&count) => {}
            Ok(count) => return Err(ScramError::Iterations(count)),
            Err(_) => return Err(attributes.malformed("iterations are not a number")),
        }
        let without_proof = format!("c={},r={nonce}", base64(GS2_HEADER.as_bytes()));
        let auth_message = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = self.keys.client_key.as_bytes();
        let stored_key = Zeroizing::new(hash(client_key));
        let signature = Zeroizing::new(hmac(&*stored_key, auth_message.as_bytes()));
        let proof = xor(client_key, &signature);
        let expected = hmac(self.keys.server_key.as_bytes(), auth_message.as_bytes());
        let answer = format!("{without_proof},p={}", base64(&proof));
        Ok((AwaitingSignature { expected }, answer))
    }
}

impl AwaitingSignature {
    /// Takes the server's last message: without this check any machine could pose as the server.
    pub fn verify(self, server_final: &[u8]) -> Result<(), ScramError> {
        let text = bounded(FINAL, server_final)?;
        if let Some(error) = text.strip_prefix("e=") {
            return Err(ScramError::Refused(error.to_owned()));
        }
        let mut attributes = Attributes::new(FINAL, text);
        let signature = attributes.take('v', "no signature")?;
        let signature = attributes.base64(signature, "signature is not base64")?;
        if bool::from(signature.as_slice().ct_eq(&self.expected)) {
            Ok(())
        } else {
            Err(ScramError::WrongSignature)
        }
    }
}
