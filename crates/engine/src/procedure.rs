//! What the steps of each procedure do. Their order and limits are `domain::procedure`'s.

mod changeover;
mod destroy;
mod failover;
mod follow;
pub(crate) mod follower_changeover;
mod provision;
mod restart;
mod shared;
mod standby;
mod unfollow;

pub(crate) use changeover::Changeover;
pub(crate) use destroy::Destroy;
pub(crate) use failover::Failover;
pub(crate) use follow::Follow;
pub(crate) use follower_changeover::FollowerChangeover;
pub(crate) use provision::Provision;
pub(crate) use restart::Restart;
pub(crate) use shared::{Followers, Switch};
pub(crate) use standby::Standby;
pub(crate) use unfollow::Unfollow;

use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::Observation;
use upkeep_domain::release::{Release, ReleaseName};
use upkeep_domain::route::Target;
use upkeep_store::Database;

use crate::workflow::{Failure, Visit};

/// Role with which the endpoint reads verifiers; every instance has it.
pub(crate) const AUTH_ROLE: &str = "upkeep_endpoint";

/// The instance as the endpoint needs to know it.
pub(crate) fn target(seen: &Observation) -> Result<Target, Failure> {
    match (&seen.address, &seen.identity) {
        (Some(address), Some(identity)) => Ok(Target {
            instance: seen.instance,
            address: address.clone(),
            identity: identity.clone(),
            auth_role: AUTH_ROLE.to_owned(),
        }),
        _ => Err(Failure::Failed(
            "the instance does not say who it is".to_owned(),
        )),
    }
}

/// What the database is called on its server, where that is another name than clients call it.
pub(crate) fn server_dbname(database: &Database) -> Option<String> {
    let name = &database.server_dbname;
    (*name != database.dbname).then(|| name.clone())
}

/// Of a copy of something so large, with what is kept free for logs, WAL and everybody else.
pub(crate) fn room_needed(instance_bytes: u64, factor: f64) -> u64 {
    const SPARE_BYTES: u64 = 256 << 20;
    (instance_bytes as f64 * factor) as u64 + SPARE_BYTES
}

/// The physical slot that keeps WAL for this follower, on whomever it follows.
pub(crate) fn slot_of(follower: InstanceId) -> String {
    format!("upkeep_{}", follower.0.simple())
}

/// Refuses when the release is not on the host.
async fn need_release(
    visit: &Visit<'_>,
    host: HostId,
    release: &ReleaseName,
) -> Result<(), Failure> {
    let there = releases(visit, host).await?;
    if there.iter().any(|there| there.name == *release) {
        return Ok(());
    }
    Err(Failure::Final(format!(
        "the release `{release}` is not in the store any more"
    )))
}

async fn releases(visit: &Visit<'_>, host: HostId) -> Result<Vec<Release>, Failure> {
    match visit.query(host, HostQuery::Releases).await? {
        Answer::Releases { releases } => Ok(releases),
        other => Err(crate::workflow::unexpected(&other)),
    }
}

/// Refuses when the host has not room for `needed_bytes` beside what it must keep free.
async fn need_room(
    visit: &Visit<'_>,
    host: HostId,
    instance: InstanceId,
    factor: f64,
) -> Result<(), Failure> {
    match visit.query(host, HostQuery::Room { instance }).await? {
        Answer::Room {
            available_bytes,
            instance_bytes,
        } => {
            let needed = room_needed(instance_bytes, factor);
            if available_bytes < needed {
                return Err(Failure::Final(format!(
                    "not enough room on the host: {} MB are free, {} MB are needed",
                    available_bytes >> 20,
                    needed >> 20
                )));
            }
            Ok(())
        }
        other => Err(crate::workflow::unexpected(&other)),
    }
}
