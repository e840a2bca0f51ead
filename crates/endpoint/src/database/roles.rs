//! What is known of a role, also while its server cannot be asked because it is being replaced.

use std::sync::Arc;

use upkeep_domain::hold::GateState;
use upkeep_domain::route::Access;

use super::Database;
use crate::authority::{Authority, AuthorityError, RoleRecord};

impl Database {
    /// Asks the server that new sessions go to. While clients are held it may be frozen or gone:
    /// then what is remembered will do, or the replacement is asked, or the release is waited for.
    pub(crate) async fn role(&self, role: &str) -> Result<RoleRecord, AuthorityError> {
        loop {
            // Subscribed first: a change after the look is not missed.
            let mut changes = self.changes();
            let (authority, replacement, held) = self.who_may_say();
            if !held {
                let record = authority.ask(role).await?;
                let wrong = record.said_by_standby && self.access() == Access::ReadWrite;
                return if wrong {
                    Err(AuthorityError::Standby)
                } else {
                    Ok(record)
                };
            }
            if let Some(record) = authority.remembered(role) {
                return Ok(record);
            }
            let asked = replacement.unwrap_or(authority).ask(role).await;
            if asked.is_ok() || self.has_given_up() {
                return asked;
            }
            let _waits = self.waiting();
            // The sender lives in `self`.
            let _ = changes.changed().await;
        }
    }

    fn who_may_say(&self) -> (Arc<Authority>, Option<Arc<Authority>>, bool) {
        let inner = self.inner();
        let held = !matches!(inner.gate.state(), GateState::Open | GateState::Holding);
        (
            Arc::clone(&inner.authority),
            inner.replacement.clone(),
            held,
        )
    }

    /// The hold has reached its hard limit.
    fn has_given_up(&self) -> bool {
        self.inner().gate.hold().is_some_and(|hold| hold.expired)
    }
}
