//! The real doors to the world: randomness and credentials.

use rand::Rng;
use upkeep_domain::credential::Credential;
use upkeep_domain::ports::{Credentials, Random};
use uuid::Uuid;

/// The operating system's randomness.
pub(super) struct Machine;

/// Bytes of a password before they become symbols: 192 random bits.
const PASSWORD_BYTES: usize = 24;

impl Random for Machine {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

impl Credentials for Machine {
    fn create(&self, role: &str) -> Credential {
        let password = hex(&random_bytes::<PASSWORD_BYTES>());
        let verifier = postgres_protocol::password::scram_sha_256(password.as_bytes());
        Credential {
            role: role.to_owned(),
            password,
            verifier,
        }
    }
}

pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    Machine.fill(&mut bytes);
    bytes
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
