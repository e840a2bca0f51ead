//! Making a follower, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::procedure::End;
use upkeep_domain::procedure::follow::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::{Access, Route};
use upkeep_domain::standby::stands_ready;
use upkeep_store::{Change, InstanceRole};

use super::shared::{Copy, CopyFor, serving};
use super::{need_release, need_room, target};
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Follow {
    pub(crate) leader: DatabaseId,
    /// The leader's primary; known when it is this work's turn.
    #[serde(default)]
    pub(crate) source: Option<InstanceId>,
    pub(crate) host: HostId,
    pub(crate) instance: InstanceId,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    /// What clients call it.
    pub(crate) dbname: String,
    /// What the leader calls it.
    pub(crate) server_dbname: String,
}

#[async_trait]
impl Run for Follow {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::BaseBackup => {
                let copy = self.copy()?;
                copy.base_backup(
                    visit,
                    &self.release,
                    &self.settings,
                    CopyFor::Following { in_place_of: None },
                )
                .await
            }
            Step::StartFollower => self.copy()?.start(visit).await,
            Step::CatchUp => self.copy()?.catch_up(visit).await,
            Step::OpenRoute => self.open_route(visit).await,
            Step::Discard => Ok(Done::new().with(self.copy()?.discard(visit, 0).await?)),
        }
    }

    fn at_end(&self, end: End) -> Vec<Change> {
        match end {
            End::RolledBack => vec![Change::ProvisionFailed],
            End::Succeeded | End::Stuck => Vec::new(),
        }
    }
}

impl Follow {
    fn copy(&self) -> Result<Copy, Failure> {
        let source = self.source;
        Ok(Copy {
            host: self.host,
            source: source.ok_or_else(|| Failure::Failed("the leader is not known".to_owned()))?,
            follower: self.instance,
        })
    }

    async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let source = serving(visit, self.leader).await?;
        self.source = Some(source.id);
        need_release(visit, self.host, &self.release).await?;
        need_room(visit, self.host, source.id, Copy::ROOM_FACTOR).await?;
        Ok(Done::new().with(Change::InsertInstance {
            id: self.instance,
            database: visit.claim.database,
            host: self.host,
            release: self.release.to_string(),
            role: InstanceRole::Replacement,
        }))
    }

    async fn open_route(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Copy { source, .. } = self.copy()?;
        let leader = visit.observe(self.host, source).await?;
        let follower = visit.observe(self.host, self.instance).await?;
        if !stands_ready(&leader, &follower) {
            return Err(Failure::Failed("it does not follow its leader".to_owned()));
        }
        let route = Route {
            database: visit.claim.database,
            dbname: self.dbname.clone(),
            server_dbname: Some(self.server_dbname.clone()),
            access: Access::ReadOnly,
            fence: visit.fence(),
            target: target(&follower)?,
        };
        visit.traffic().route(&route).await?;
        Ok(Done::new()
            .with(Change::PointReaders {
                database: visit.claim.database,
                follower: self.instance,
                follows: source,
            })
            .with(Change::Provisioned))
    }
}
