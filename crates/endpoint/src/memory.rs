//! What a server said of its roles, remembered for a short while.
//!
//! Only roles that exist are remembered: whoever asks has not proved anything yet, and may make up as
//! many names as he likes. Nothing is asked here.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::authority::RoleRecord;

/// More roles than this are asked for each time.
const ROLES_LIMIT: usize = 10_000;

/// Records of roles by name.
pub(crate) struct Memory {
    age: Duration,
    roles: HashMap<String, Remembered>,
}

struct Remembered {
    at: Instant,
    record: RoleRecord,
}

impl Memory {
    /// Empty. What is older than `age` counts as forgotten.
    pub(crate) fn new(age: Duration) -> Self {
        Self {
            age,
            roles: HashMap::new(),
        }
    }

    pub(crate) fn recall(&self, role: &str, now: Instant) -> Option<RoleRecord> {
        let known = self.roles.get(role)?;
        (now - known.at <= self.age).then(|| known.record.clone())
    }

    pub(crate) fn remember(&mut self, role: &str, record: RoleRecord, now: Instant) {
        self.roles.retain(|_, known| now - known.at <= self.age);
        if self.roles.len() < ROLES_LIMIT || self.roles.contains_key(role) {
            let known = Remembered { at: now, record };
            self.roles.insert(role.to_owned(), known);
        }
    }

    pub(crate) fn forget(&mut self, role: &str) {
        self.roles.remove(role);
    }

    /// Takes over what another memory holds of roles unknown to this one.
    pub(crate) fn learn(&mut self, other: Self) {
        for (role, known) in other.roles {
            self.roles.entry(role).or_insert(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use upkeep_wire::scram::Verifier;

    use super::*;

    fn record() -> RoleRecord {
        RoleRecord {
            verifier: Verifier::mock(&[0; 32], "ann", 1),
            may_log_in: true,
            said_by_standby: false,
        }
    }

    #[test]
    fn a_record_is_recalled_until_it_is_too_old_and_is_dropped_then() {
        let (mut memory, start) = (Memory::new(Duration::from_secs(30)), Instant::now());
        memory.remember("ann", record(), start);
        assert!(memory.recall("ann", start + memory.age).is_some());
        let later = start + Duration::from_secs(31);
        assert!(memory.recall("ann", later).is_none());
        memory.remember("bob", record(), later);
        assert_eq!(memory.roles.len(), 1);
    }

    #[test]
    fn no_more_roles_are_remembered_than_the_limit() {
        let (mut memory, now) = (Memory::new(Duration::from_secs(30)), Instant::now());
        let some = record();
        memory.remember("first", some.clone(), now - Duration::from_secs(1));
        for n in memory.roles.len()..ROLES_LIMIT {
            let known = Remembered {
                at: now,
                record: some.clone(),
            };
            memory.roles.insert(n.to_string(), known);
        }
        memory.remember("ann", record(), now);
        assert!(memory.recall("ann", now).is_none());
        memory.remember("first", record(), now);
        assert_eq!(memory.roles.len(), ROLES_LIMIT);
    }
}
