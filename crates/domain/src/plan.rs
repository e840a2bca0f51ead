//! Plans: what a database may use.
//!
//! Only Standard plans exist so far; HA plans and Essential come with failover and followers.

use crate::instance::InstanceSettings;
use crate::refusal::Refusal;

/// The add-on service whose plans these are, as Heroku's clients expect it.
pub const SERVICE: &str = "heroku-postgresql";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub connections: u32,
    pub shared_buffers_mb: u32,
}

/// Connections beside those of clients: our own, spare sessions' overlap, WAL senders.
const RESERVED_CONNECTIONS: u32 = 20;
const WAL_KEEP_SIZE_MB: u32 = 1024;

pub const PLANS: [Plan; 3] = [
    Plan {
        name: "standard-0",
        title: "Standard 0",
        description: "Standard Non-HA",
        connections: 120,
        shared_buffers_mb: 256,
    },
    Plan {
        name: "standard-2",
        title: "Standard 2",
        description: "Standard Non-HA",
        connections: 400,
        shared_buffers_mb: 1024,
    },
    Plan {
        name: "standard-3",
        title: "Standard 3",
        description: "Standard Non-HA",
        connections: 500,
        shared_buffers_mb: 2048,
    },
];

impl Plan {
    /// Finds `heroku-postgresql:standard-0` or `standard-0`.
    ///
    /// # Errors
    /// A refusal that lists the plans there are.
    pub fn find(text: &str) -> Result<Self, Refusal> {
        let name = text
            .strip_prefix(SERVICE)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(text);
        PLANS
            .into_iter()
            .find(|plan| plan.name == name)
            .ok_or_else(|| {
                let known: Vec<_> = PLANS
                    .iter()
                    .map(|plan| format!("{SERVICE}:{}", plan.name))
                    .collect();
                Refusal::invalid(format!("there is no plan `{}`", text.escape_default()))
                    .with_hint(format!("plans: {}", known.join(", ")))
            })
    }

    pub fn settings(&self) -> InstanceSettings {
        InstanceSettings {
            max_connections: self.connections + RESERVED_CONNECTIONS,
            shared_buffers_mb: self.shared_buffers_mb,
            wal_keep_size_mb: WAL_KEEP_SIZE_MB,
        }
    }
}
