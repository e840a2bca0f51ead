//! Destroying a database, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::ports::TrafficError;
use upkeep_domain::procedure::destroy::Step;
use upkeep_store::Change;

use super::shared::serving;
use super::slot_of;
use crate::workflow::{Done, Failure, Run, Visit};

/// Commands about slots are numbered from here on, those about instances from 0.
const SLOTS_FROM: u8 = 128;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Destroy {
    pub(crate) dbname: String,
    /// Whom it follows.
    #[serde(default)]
    pub(crate) leader: Option<DatabaseId>,
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
                self.drop_slots(visit).await?;
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

impl Destroy {
    /// Its leader keeps WAL for it no longer.
    async fn drop_slots(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        let Some(leader) = self.leader else {
            return Ok(());
        };
        let leader = serving(visit, leader).await?.id;
        for (part, (host, instance)) in (SLOTS_FROM..).zip(&self.instances) {
            let drop = HostCommand::DropSlot {
                instance: leader,
                slot: slot_of(*instance),
            };
            visit.command(*host, part, drop).await?;
        }
        Ok(())
    }
}
