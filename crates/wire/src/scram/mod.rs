//! SCRAM-SHA-256 (RFC 5802, RFC 7677), both sides, without a password.
//!
//! A login against the role's [`Verifier`] proves that the client knows the password *and* reveals
//! the ClientKey, which logs in to any server that holds the same verifier. Keys are wiped when
//! dropped and never printed. Channel binding is not offered yet: [`ServerExchange`] is where the
//! binding data would be compared. Nonces come from the caller.

mod client;
mod server;
mod text;
mod verifier;

#[cfg(test)]
mod tests;

pub use client::{AwaitingSignature, ClientExchange};
pub use server::{Accepted, ServerExchange};
pub use verifier::{Verifier, VerifierError};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The mechanism's name in SASL messages.
pub const MECHANISM: &str = "SCRAM-SHA-256";

/// A server that demands more rounds than this is refused: they would cost us, not it.
pub const MAX_ITERATIONS: u32 = 1_000_000;

/// Longer SASL messages than this are refused; real ones have about 150 bytes.
const MAX_MESSAGE: usize = 4096;

const KEY_LEN: usize = 32;
type KeyBytes = [u8; KEY_LEN];

/// Why an exchange ended without a login.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScramError {
    #[error("SCRAM message `{message}` is malformed: {why}")]
    Malformed {
        message: &'static str,
        why: &'static str,
    },
    #[error("client demands channel binding, which was not offered")]
    ChannelBinding,
    #[error("client proof does not fit the verifier")]
    WrongProof,
    #[error("nonce does not continue the one sent")]
    Nonce,
    #[error("server demands `{0}` iterations, limit {MAX_ITERATIONS}")]
    Iterations(u64),
    #[error("server refuses the proof: `{0}`")]
    Refused(String),
    #[error("server signature is wrong: it does not know the verifier")]
    WrongSignature,
}

/// A 32-byte key: wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<KeyBytes>);

impl Key {
    pub fn new(bytes: KeyBytes) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub fn as_bytes(&self) -> &KeyBytes {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What logs a role in without its password, and checks that the server knows the role too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    pub client_key: Key,
    pub server_key: Key,
}

fn hmac(key: &[u8], data: &[u8]) -> KeyBytes {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

fn hash(data: &[u8]) -> KeyBytes {
    Sha256::digest(data).into()
}

fn xor(left: &KeyBytes, right: &KeyBytes) -> KeyBytes {
    std::array::from_fn(|i| left[i] ^ right[i])
}
