//! Making a follower a database of its own, step by step.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::ProcessState;
use upkeep_domain::procedure::unfollow::Step;
use upkeep_domain::route::{Access, Route};
use upkeep_store::Change;

use super::shared::serving;
use super::{slot_of, target};
use crate::workflow::{Done, Failure, Run, Visit, unexpected};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Unfollow {
    pub(crate) leader: DatabaseId,
    pub(crate) host: HostId,
    /// What clients call it.
    pub(crate) dbname: String,
    /// What it is called on its server.
    pub(crate) server_dbname: String,
    /// Its own, and its leader's; known when it is this work's turn.
    #[serde(default)]
    pub(crate) seen: Option<Pair>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Pair {
    follower: InstanceId,
    leader: InstanceId,
}

#[async_trait]
impl Run for Unfollow {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::Promote => self.promote(visit).await,
            Step::OpenRoute => self.open_route(visit).await,
            Step::DropSlot => self.drop_slot(visit).await,
        }
    }
}

impl Unfollow {
    fn pair(&self) -> Result<Pair, Failure> {
        self.seen
            .ok_or_else(|| Failure::Failed("the follower is not known".to_owned()))
    }

    async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let follower = serving(visit, visit.claim.database).await?.id;
        let leader = serving(visit, self.leader).await?.id;
        let seen = visit.observe(self.host, follower).await?;
        if seen.process != ProcessState::Running || seen.in_recovery != Some(true) {
            return Err(Failure::Final(
                "its server does not run as a follower".to_owned(),
            ));
        }
        self.seen = Some(Pair { follower, leader });
        Ok(Done::new().detail(json!({ "replayed": seen.replayed_lsn })))
    }

    async fn promote(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let instance = self.pair()?.follower;
        let promote = HostCommand::Promote { instance };
        match visit.command(self.host, 0, promote).await? {
            Outcome::Promoted { timeline, .. } => {
                Ok(Done::new().detail(json!({ "timeline": timeline })))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Its sessions stay where they are; they are told by PostgreSQL itself that they can write.
    async fn open_route(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let instance = self.pair()?.follower;
        let seen = visit.observe(self.host, instance).await?;
        if seen.in_recovery != Some(false) {
            return Err(Failure::Failed("it does not take writes".to_owned()));
        }
        let route = Route {
            database: visit.claim.database,
            dbname: self.dbname.clone(),
            server_dbname: Some(self.server_dbname.clone()),
            access: Access::ReadWrite,
            fence: visit.fence(),
            target: target(&seen)?,
        };
        visit.traffic().route(&route).await?;
        Ok(Done::new()
            .with(Change::Point { primary: instance })
            .with(Change::Unfollowed))
    }

    async fn drop_slot(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Pair { follower, leader } = self.pair()?;
        let drop = HostCommand::DropSlot {
            instance: leader,
            slot: slot_of(follower),
        };
        visit.command(self.host, 0, drop).await?;
        Ok(Done::new())
    }
}
