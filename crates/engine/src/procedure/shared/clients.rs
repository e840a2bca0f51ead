//! What is asked of the endpoint while clients are held, and what they felt of it.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::hold::{HoldReply, Prepared, ReleaseOnto};
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::ports::TrafficError;
use upkeep_domain::route::Target;
use upkeep_store::Change;

use crate::procedure::target;
use crate::workflow::{Done, Failure, Visit};

/// How long the endpoint may take to have seen writes again.
const FELT_WAIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) async fn hold(visit: &Visit<'_>, dbname: &str) -> Result<Done, Failure> {
    match visit
        .traffic()
        .hold(dbname, visit.fence(), &visit.world.hold_limits)
        .await?
    {
        HoldReply::Held {
            sessions,
            drained_ms,
        } => Ok(Done::new().detail(json!({ "sessions": sessions, "drained_ms": drained_ms }))),
        HoldReply::Blocked { blockers } => {
            let who: Vec<_> = blockers
                .iter()
                .map(|b| {
                    format!(
                        "{} (pid {}, {}, {} ms)",
                        b.role, b.backend_pid, b.state, b.busy_ms
                    )
                })
                .collect();
            Err(Failure::Failed(format!(
                "sessions did not reach a transaction boundary: {}",
                who.join("; ")
            )))
        }
    }
}

/// Spare sessions on the server that clients are to go to, and how that is known to the endpoint.
pub(crate) async fn prepare(
    visit: &Visit<'_>,
    host: HostId,
    dbname: &str,
    new: InstanceId,
) -> Result<(Target, Prepared), Failure> {
    let target = target(&visit.observe_patiently(host, new).await?)?;
    let traffic = visit.traffic();
    let prepared = traffic.prepare(dbname, visit.fence(), &target).await?;
    Ok((target, prepared))
}

pub(crate) async fn seal(visit: &Visit<'_>, dbname: &str) -> Result<Done, Failure> {
    visit.traffic().seal(dbname, visit.fence()).await?;
    Ok(Done::new())
}

/// Where nobody is held any more there is nothing to do.
pub(crate) async fn let_everybody_go(
    visit: &Visit<'_>,
    dbname: &str,
    onto: &ReleaseOnto,
) -> Result<(), Failure> {
    let released = visit.traffic().release(dbname, visit.fence(), onto);
    match released.await {
        // The lease ended, or the endpoint was started anew: everybody goes on already.
        Ok(()) | Err(TrafficError::NotHeld { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// With what clients felt, as soon as they write again.
pub(crate) async fn with_felt(
    visit: &Visit<'_>,
    dbname: &str,
    done: Done,
) -> Result<Done, Failure> {
    let until = Instant::now() + FELT_WAIT;
    loop {
        match visit.traffic().felt(dbname).await? {
            Some(felt) => return Ok(done.with(Change::Felt { felt })),
            // The endpoint was started anew since: what was felt is not known, and that is told.
            None if Instant::now() >= until => return Ok(done),
            None => {
                visit
                    .waiting("for the first writes after the hold", json!({}))
                    .await?;
                sleep(LOOK_EVERY).await;
            }
        }
    }
}
