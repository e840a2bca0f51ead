//! Building the hidden standby, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::{InstanceSettings, ProcessState};
use upkeep_domain::procedure::standby::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::standby::stands_ready;
use upkeep_store::{Change, InstanceRole};

use super::shared::{Copy, CopyFor};
use super::{need_release, need_room};
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Standby {
    pub(crate) host: HostId,
    pub(crate) primary: InstanceId,
    pub(crate) made: InstanceId,
    /// The primary's own.
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    /// Former standbys, of which nothing is to be left.
    pub(crate) broken: Vec<InstanceId>,
}

#[async_trait]
impl Run for Standby {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        let copy = self.copy(self.made);
        match step {
            Step::Clear => self.clear(visit).await,
            Step::Check => self.check(visit).await,
            Step::BaseBackup => {
                copy.base_backup(visit, &self.release, &self.settings, CopyFor::TakingOver)
                    .await
            }
            Step::StartStandby => copy.start(visit).await,
            Step::CatchUp => copy.catch_up(visit).await,
            Step::Register => self.register(visit).await,
            Step::Discard => Ok(Done::new().with(copy.discard(visit, 0).await?)),
        }
    }
}

impl Standby {
    fn copy(&self, follower: InstanceId) -> Copy {
        Copy {
            host: self.host,
            source: self.primary,
            follower,
        }
    }

    async fn clear(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let mut done = Done::new().detail(json!({ "removed": self.broken.len() }));
        for (part, broken) in (0..).step_by(2).zip(&self.broken) {
            done = done.with(self.copy(*broken).discard(visit, part).await?);
        }
        Ok(done)
    }

    async fn check(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let primary = visit.observe(self.host, self.primary).await?;
        if primary.process != ProcessState::Running || primary.in_recovery != Some(false) {
            return Err(Failure::Final("the primary does not run".to_owned()));
        }
        need_release(visit, self.host, &self.release).await?;
        need_room(visit, self.host, self.primary, Copy::ROOM_FACTOR).await?;
        Ok(Done::new().with(Change::InsertInstance {
            id: self.made,
            database: visit.claim.database,
            host: self.host,
            release: self.release.to_string(),
            role: InstanceRole::Replacement,
        }))
    }

    async fn register(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let primary = visit.observe(self.host, self.primary).await?;
        let standby = visit.observe(self.host, self.made).await?;
        if !stands_ready(&primary, &standby) {
            return Err(Failure::Failed(
                "the standby does not stand ready".to_owned(),
            ));
        }
        Ok(Done::new().with(Change::Register {
            standby: self.made,
            follows: self.primary,
        }))
    }
}
