//! The server side: checks a client against a verifier and learns its ClientKey.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::text::{Attributes, base64, bounded, is_nonce};
use super::{ClientKeys, Key, ScramError, Verifier, hash, hmac, xor};

const FIRST: &str = "client-first-message";
const FINAL: &str = "client-final-message";

/// A login between the server's challenge and the client's proof.
pub struct ServerExchange {
    verifier: Verifier,
    /// As the client sent it; `c=` must repeat it. Binding data would be appended to it here.
    gs2_header: String,
    nonce: String,
    client_first_bare: String,
    server_first: String,
}

/// A login that succeeded.
#[derive(Debug)]
pub struct Accepted {
    /// The answer to the client: proof that this side knows the verifier.
    pub server_final: String,
    /// What logs this role in to any server with the same verifier.
    pub keys: ClientKeys,
}

impl ServerExchange {
    /// Takes the client's first message; answers with the challenge. `server_nonce` must be
    /// unpredictable and printable ASCII without commas (base64 of 18 random bytes, say).
    pub fn begin(
        verifier: Verifier,
        client_first: &[u8],
        server_nonce: &str,
    ) -> Result<(Self, String), ScramError> {
        let text = bounded(FIRST, client_first)?;
        let (gs2_header, bare) = split_gs2_header(text)?;
        let mut attributes = Attributes::new(FIRST, bare);
        // PostgreSQL ignores the name: the role is the one of the StartupMessage.
        attributes.take('n', "no user name")?;
        let client_nonce = attributes.take('r', "no nonce")?;
        if !is_nonce(client_nonce) || !is_nonce(server_nonce) {
            return Err(attributes.malformed("nonce is not printable"));
        }
        let nonce = format!("{client_nonce}{server_nonce}");
        let salt = base64(&verifier.salt);
        let server_first = format!("r={nonce},s={salt},i={}", verifier.iterations);
        let exchange = Self {
            verifier,
            gs2_header: gs2_header.to_owned(),
            nonce,
            client_first_bare: bare.to_owned(),
            server_first: server_first.clone(),
        };
        Ok((exchange, server_first))
    }

    /// Takes the client's proof.
    pub fn finish(self, client_final: &[u8]) -> Result<Accepted, ScramError> {
        let text = bounded(FINAL, client_final)?;
        let mut attributes = Attributes::new(FINAL, text);
        let binding = attributes.take('c', "no channel binding")?;
        if binding != base64(self.gs2_header.as_bytes()) {
            return Err(attributes.malformed("channel binding differs from the first message"));
        }
        let nonce = attributes.take('r', "no nonce")?;
        if !bool::from(nonce.as_bytes().ct_eq(self.nonce.as_bytes())) {
            return Err(ScramError::Nonce);
        }
        // Extensions may stand between nonce and proof; the proof is always last.
        let (without_proof, proof) = text
            .rsplit_once(",p=")
            .ok_or_else(|| attributes.malformed("no proof"))?;
        let proof = attributes.base64(proof, "proof is not base64")?;
        let proof = <[u8; 32]>::try_from(proof)
            .map_err(|_| attributes.malformed("proof has not 32 bytes"))?;
        self.check(without_proof, proof)
    }

    fn check(self, without_proof: &str, proof: [u8; 32]) -> Result<Accepted, ScramError> {
        let (bare, first) = (&self.client_first_bare, &self.server_first);
        let auth_message = format!("{bare},{first},{without_proof}");
        let signature = Zeroizing::new(hmac(&self.verifier.stored_key, auth_message.as_bytes()));
        let client_key = Zeroizing::new(xor(&proof, &signature));
        let fits = hash(&*client_key).ct_eq(&self.verifier.stored_key);
        if !bool::from(fits) || self.verifier.doomed {
            return Err(ScramError::WrongProof);
        }
        let server_signature = hmac(&self.verifier.server_key, auth_message.as_bytes());
        Ok(Accepted {
            server_final: format!("v={}", base64(&server_signature)),
            keys: ClientKeys {
                client_key: Key::new(*client_key),
                server_key: Key::new(self.verifier.server_key),
            },
        })
    }
}

/// Splits `n,,` or `y,,` off. `y` (the client could bind, and thinks we cannot) is true as long as
/// no PLUS mechanism is offered.
fn split_gs2_header(text: &str) -> Result<(&str, &str), ScramError> {
    let malformed = |why| ScramError::Malformed {
        message: FIRST,
        why,
    };
    if text.starts_with("p=") {
        return Err(ScramError::ChannelBinding);
    }
    if !text.starts_with("n,") && !text.starts_with("y,") {
        return Err(malformed("unknown channel binding flag"));
    }
    if !text[2..].starts_with(',') {
        return Err(malformed("authorization identity is not supported"));
    }
    Ok(text.split_at(3))
}
