//! Behind the hold: the proof, and what is remembered of it.

use serde_json::json;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::instance::ProcessState;
use upkeep_store::Change;

use super::Restart;
use crate::procedure::shared::with_felt;
use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit, unexpected};

impl Restart {
    /// What waited and is true now: looked at, because a server may have come up in another way.
    async fn applied(&self, visit: &Visit<'_>) -> Result<Vec<WaitingSetting>, Failure> {
        let waited = &self.seen.waiting;
        let query = HostQuery::Settings {
            instance: self.instance,
            names: waited.iter().map(|setting| setting.name.clone()).collect(),
        };
        let values = match visit.query(self.host, query).await? {
            Answer::Settings { values } => values,
            other => return Err(unexpected(&other)),
        };
        let is_true = |setting: &&WaitingSetting| values.get(&setting.name) == Some(&setting.after);
        Ok(waited.iter().filter(is_true).cloned().collect())
    }

    /// That it takes writes was proven by the start, with one of our own.
    pub(super) async fn prove(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let now = visit.observe(self.host, self.instance).await?;
        if now.process != ProcessState::Running || now.in_recovery != Some(false) {
            return Err(Failure::Failed(
                "the restarted server does not take writes".to_owned(),
            ));
        }
        if target(&now)? != self.same_server()? {
            return Err(Failure::Failed(
                "another server answers than the one that was restarted".to_owned(),
            ));
        }
        if now.timeline != self.seen.timeline {
            return Err(Failure::Failed(
                "the restarted server is on another timeline than before".to_owned(),
            ));
        }
        let mut done = Done::new().detail(json!({ "timeline": now.timeline }));
        let settings = self.applied(visit).await?;
        if !settings.is_empty() {
            done = done.with(Change::Applied { settings });
        }
        with_felt(visit, &self.dbname, done).await
    }
}
