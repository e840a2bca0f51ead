//! Provisioning, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::procedure::End;
use upkeep_domain::procedure::provision::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::{Access, Route};
use upkeep_store::{Change, InstanceRole};

use super::{need_release, need_room, target};
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Provision {
    pub(crate) database: DatabaseId,
    pub(crate) host: HostId,
    pub(crate) instance: InstanceId,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    pub(crate) dbname: String,
    pub(crate) role: String,
    pub(crate) verifier: String,
}

#[async_trait]
impl Run for Provision {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::CreateInstance => {
                self.command(
                    visit,
                    HostCommand::CreateInstance {
                        instance: self.instance,
                        release: self.release.clone(),
                        settings: self.settings.clone(),
                    },
                )
                .await
            }
            Step::StartInstance => {
                self.command(
                    visit,
                    HostCommand::StartInstance {
                        instance: self.instance,
                    },
                )
                .await
            }
            Step::CreateDatabase => {
                self.command(
                    visit,
                    HostCommand::CreateDatabase {
                        instance: self.instance,
                        dbname: self.dbname.clone(),
                        role: self.role.clone(),
                        verifier: self.verifier.clone(),
                    },
                )
                .await
            }
            Step::OpenRoute => self.open_route(visit).await,
            Step::Discard => {
                let done = self
                    .command(
                        visit,
                        HostCommand::RemoveInstance {
                            instance: self.instance,
                        },
                    )
                    .await?;
                Ok(done.with(Change::DeleteInstance { id: self.instance }))
            }
        }
    }

    fn at_end(&self, end: End) -> Vec<Change> {
        match end {
            End::RolledBack => vec![Change::ProvisionFailed],
            End::Succeeded | End::Stuck => Vec::new(),
        }
    }
}

impl Provision {
    async fn command(&self, visit: &Visit<'_>, command: HostCommand) -> Result<Done, Failure> {
        visit.command(self.host, 0, command).await?;
        Ok(Done::new())
    }

    async fn check(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        need_release(visit, self.host, &self.release).await?;
        need_room(visit, self.host, self.instance, 1.0).await?;
        Ok(Done::new().with(Change::InsertInstance {
            id: self.instance,
            database: visit.claim.database,
            host: self.host,
            release: self.release.to_string(),
            role: InstanceRole::Primary,
        }))
    }

    async fn open_route(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let seen = visit.observe(self.host, self.instance).await?;
        let route = Route {
            database: self.database,
            dbname: self.dbname.clone(),
            server_dbname: None,
            access: Access::ReadWrite,
            fence: visit.fence(),
            target: target(&seen)?,
        };
        visit.traffic().route(&route).await?;
        Ok(Done::new()
            .with(Change::Point {
                primary: self.instance,
            })
            .with(Change::Provisioned))
    }
}
