//! Destroying a database, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::ports::TrafficError;
use upkeep_domain::procedure::destroy::Step;
use upkeep_store::Change;

use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Destroy {
    pub(crate) dbname: String,
    /// All of them, the retired too.
    pub(crate) instances: Vec<(HostId, InstanceId)>,
}

#[async_trait]
impl Run for Destroy {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::CloseRoute => match visit.traffic().forget(&self.dbname, visit.fence()).await {
                Ok(()) | Err(TrafficError::UnknownDatabase { .. }) => Ok(Done::new()),
                Err(error) => Err(error.into()),
            },
            Step::RemoveInstances => {
                for (part, (host, instance)) in (0..).zip(&self.instances) {
                    visit
                        .command(
                            *host,
                            part,
                            HostCommand::RemoveInstance {
                                instance: *instance,
                            },
                        )
                        .await?;
                }
                Ok(Done::new().with(Change::DeleteDatabase))
            }
        }
    }
}
