//! Login data of a database's role.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A role's password and the verifier that PostgreSQL keeps of it. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub role: String,
    pub password: String,
    /// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`
    pub verifier: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
