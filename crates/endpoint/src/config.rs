//! What an endpoint is given: where it keeps its routes, and how much it lets clients take.
//!
//! Limits of a hold are not here: they come with each hold.

use std::time::Duration;

use camino::Utf8PathBuf;

/// Where an endpoint keeps its state, and its limits.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// Holds `routes.json`.
    pub state_dir: Utf8PathBuf,
    pub limits: Limits,
}

impl EndpointConfig {
    pub fn new(state_dir: impl Into<Utf8PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            limits: Limits::default(),
        }
    }
}

/// How much clients may take before they have proved who they are, and how long servers may.
#[derive(Clone, Debug)]
pub struct Limits {
    /// From the first byte of a connection to the end of its login; a hold in between not counted.
    pub login: Duration,
    /// Connections that have not logged in yet.
    pub unauthenticated: usize,
    /// A login at a server, or one exchange of ours with it.
    pub server: Duration,
    /// Logins at a replacement at the same time.
    pub dials: usize,
    /// How old a remembered verifier may be.
    pub verifier_age: Duration,
    /// How long all sessions of a release wait for the slowest one to be rebuilt.
    pub barrier: Duration,
    /// How long `prepare` waits for a session to come to a boundary.
    pub prepare: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            login: Duration::from_secs(60),
            unauthenticated: 1000,
            server: Duration::from_secs(5),
            dials: 32,
            verifier_age: Duration::from_secs(30),
            barrier: Duration::from_secs(1),
            prepare: Duration::from_secs(2),
        }
    }
}
