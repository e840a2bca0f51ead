//! What databases are made of: plans as they are, releases passed on to the agent, and a look at one.

use upkeep_domain::host_command::{
    Answer, CommandId, Envelope, HostCommand, HostQuery, Outcome, Usage,
};
use upkeep_domain::id::WorkflowId;
use upkeep_domain::plan::Plans;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{AddRelease, Release, ReleaseName};
use upkeep_store::{Database, Instance};

use super::{host_refusal, store_refusal};
use crate::Engine;

impl Engine {
    /// The plans that databases can be on.
    pub fn plans(&self) -> &Plans {
        &self.world.plans
    }

    pub async fn add_release(&self, source: AddRelease) -> Result<Release, Refusal> {
        match self.tell_host(HostCommand::AddRelease { source }).await? {
            Outcome::ReleaseAdded { release } => Ok(*release),
            other => Err(Refusal::new(
                RefusalKind::Internal,
                format!("unexpected outcome {other:?}"),
            )),
        }
    }

    /// Refused while an instance runs on it, or a retired one is still kept.
    pub async fn remove_release(&self, release: &Release) -> Result<(), Refusal> {
        let in_use = self
            .store
            .releases_in_use()
            .await
            .map_err(|error| store_refusal(&error))?;
        let in_use: Vec<ReleaseName> = in_use
            .into_iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        self.tell_host(HostCommand::RemoveRelease {
            name: release.name.clone(),
            in_use,
        })
        .await
        .map(drop)
    }

    /// Size and sessions of a database, as far as its server tells just now.
    pub async fn usage(&self, database: &Database, primary: &Instance) -> Option<Usage> {
        let query = HostQuery::Usage {
            instance: primary.id,
            dbname: database.server_dbname.clone(),
        };
        match self.world.hosts.query(primary.host_id, &query).await {
            Ok(Answer::Usage { usage }) => Some(usage),
            _ => None,
        }
    }

    async fn tell_host(&self, command: HostCommand) -> Result<Outcome, Refusal> {
        let fence = self
            .store
            .next_fence()
            .await
            .map_err(|error| store_refusal(&error))?;
        let id = CommandId {
            workflow: WorkflowId(self.world.random.uuid()),
            step: "request".to_owned(),
            visit: 1,
            part: 0,
        };
        self.world
            .hosts
            .command(self.world.host, &Envelope { id, fence, command })
            .await
            .map_err(host_refusal)
    }
}
