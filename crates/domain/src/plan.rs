//! Plans: what a database may use, and what is done for it.
//!
//! The table of them is a file in the format of [`DEFAULTS`]; an installation may have its own.

mod table;

use serde::{Deserialize, Serialize};

use crate::file::Error;
use crate::instance::InstanceSettings;
use crate::refusal::Refusal;

pub use table::DEFAULTS;

/// The add-on service whose plans these are, as Heroku's clients expect it.
pub const SERVICE: &str = "heroku-postgresql";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Without the service: `standard-0`.
    pub name: String,
    pub title: String,
    pub description: String,
    /// Of clients.
    pub connections: u32,
    pub shared_buffers_mb: u32,
    /// What PostgreSQL's planner may take for granted; its own default when not said.
    pub effective_cache_size_mb: Option<u32>,
    pub work_mem_mb: Option<u32>,
    pub disk_gb: u32,
    /// A hidden standby stands ready.
    pub high_availability: bool,
    /// May be followed.
    pub followers: bool,
    /// Has a window, notices, and runs by hand.
    pub window: bool,
}

/// Connections beside those of clients: our own, spare sessions' overlap, WAL senders.
const RESERVED_CONNECTIONS: u32 = 20;
const WAL_KEEP_SIZE_MB: u32 = 1024;

impl Plan {
    /// Heroku's tier that is maintained as needed, without window or notice.
    pub fn is_essential(&self) -> bool {
        self.name.starts_with(table::ESSENTIAL)
    }

    pub fn settings(&self) -> InstanceSettings {
        InstanceSettings {
            max_connections: self.connections + RESERVED_CONNECTIONS,
            shared_buffers_mb: self.shared_buffers_mb,
            wal_keep_size_mb: WAL_KEEP_SIZE_MB,
            effective_cache_size_mb: self.effective_cache_size_mb,
            work_mem_mb: self.work_mem_mb,
        }
    }

    /// Of a follower. A standby must allow at least as many connections as its primary does, or it does
    /// not start.
    ///
    /// Source: <https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN>
    pub fn settings_beside(&self, leaders: &Self) -> InstanceSettings {
        let settings = self.settings();
        let leaders = leaders.settings().max_connections;
        InstanceSettings {
            max_connections: settings.max_connections.max(leaders),
            ..settings
        }
    }
}

/// The plans of an installation. Never empty, and no two of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plans(Vec<Plan>);

impl Plans {
    /// Those that are there when nobody says otherwise.
    pub fn defaults() -> Self {
        Self::read(DEFAULTS).expect("a test reads the defaults")
    }

    /// Understands a file of plans.
    ///
    /// # Errors
    /// With the line, the key, and what is allowed there.
    pub fn read(text: &str) -> Result<Self, Error> {
        table::read(text).map(Self)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Plan> {
        self.0.iter()
    }

    /// Finds `heroku-postgresql:standard-0` or `standard-0`.
    ///
    /// # Errors
    /// A refusal that lists the plans there are.
    pub fn find(&self, text: &str) -> Result<&Plan, Refusal> {
        let name = text
            .strip_prefix(SERVICE)
            .and_then(|rest| rest.strip_prefix(':'))
            .unwrap_or(text);
        self.iter().find(|plan| plan.name == name).ok_or_else(|| {
            let known: Vec<_> = self.iter().map(|plan| plan.name.as_str()).collect();
            Refusal::invalid(format!("there is no plan `{}`", text.escape_default()))
                .with_hint(format!("plans: {}", known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plans_are_herokus() {
        let plans = Plans::defaults();
        let of = |name: &str| plans.find(name).unwrap();
        for family in ["premium", "private", "shield"] {
            assert!(of(&format!("{family}-0")).high_availability);
        }
        let standard = of("heroku-postgresql:standard-0");
        assert!(standard.window && standard.followers && !standard.high_availability);
        let essential = of("essential-0");
        assert!(!essential.window && !essential.followers && !essential.high_availability);
    }

    #[test]
    fn an_unknown_plan_is_refused_with_the_list() {
        let refusal = Plans::defaults().find("hobby-dev").unwrap_err();
        assert!(refusal.sentence.contains("`hobby-dev`"), "{refusal:?}");
        let hint = refusal.hint.unwrap();
        assert!(hint.contains("premium-0"), "{hint}");
    }
}
