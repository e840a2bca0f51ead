//! The hidden standby of a database: nobody asks for one but the sweep that finds it missing.

use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::Observation;
use upkeep_domain::refusal::Refusal;
use upkeep_domain::standby::stands_ready;
use upkeep_store::{Database, Instance};

use super::store_refusal;
use crate::Engine;
use crate::procedure::Standby;

impl Engine {
    /// The standby that could take over now, as its server tells just now.
    pub async fn ready_standby(
        &self,
        database: &Database,
        primary: &Instance,
    ) -> Result<Option<Instance>, Refusal> {
        let standbys = self.store.standbys(database.id).await;
        let standbys = standbys.map_err(|error| store_refusal(&error))?;
        let followers = standbys.into_iter().map(|(standby, _)| standby);
        for standby in followers.filter(|standby| standby.follows == Some(primary.id)) {
            let primary_seen = self.look(primary).await;
            let seen = self.look(&standby).await;
            let both = primary_seen.zip(seen);
            if both.is_some_and(|(primary, seen)| stands_ready(&primary, &seen)) {
                return Ok(Some(standby));
            }
        }
        Ok(None)
    }

    async fn look(&self, instance: &Instance) -> Option<Observation> {
        let query = HostQuery::Observe {
            instance: instance.id,
        };
        match self.world.hosts.query(instance.host_id, &query).await {
            Ok(Answer::Observed { observation }) => Some(*observation),
            _ => None,
        }
    }

    /// Begins to build one in place of those that are `broken`.
    pub async fn build_standby(
        &self,
        database: &Database,
        broken: Vec<InstanceId>,
    ) -> Result<(), Refusal> {
        let primary = self.primary(database).await?;
        let release = primary.release.parse().map_err(|_| {
            Refusal::invalid(format!("`{}` is no name of a release", primary.release))
        })?;
        let standby = Standby {
            host: primary.host_id,
            primary: primary.id,
            made: InstanceId(self.world.random.uuid()),
            release,
            settings: self.world.plans.find(&database.plan)?.settings(),
            broken,
        };
        self.begin(database, &standby).await
    }
}
