//! Waiting for the window of what was begun before it. Nobody feels it: the database serves, and its replacement
//! follows.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::instance::ProcessState;
use upkeep_domain::maintenance::{Interval, freeze, window};
use upkeep_store::{Error as StoreError, WindowWait};

use super::Copy;
use crate::workflow::{Done, Failure, Visit};

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Until the window opens and it is its turn, or a person wants it now.
pub(crate) async fn await_window(visit: &Visit<'_>, copy: Copy) -> Result<Done, Failure> {
    let Some(maintenance) = visit.claim.maintenance else {
        return Ok(Done::new());
    };
    let mut told = String::new();
    loop {
        let wait = visit.read_store(|| visit.store.ready(maintenance)).await;
        let Some(wait) = wait else {
            return copy.catch_up(visit).await;
        };
        let waits_for = if wait.now < wait.opens_at {
            format!("for its window, which opens at {}", as_told(wait.opens_at))
        } else {
            refuse_freezes(visit, wait).await?;
            let runs_at_once = visit.world.policy.runs_at_once();
            match visit
                .store
                .take_window_turn(maintenance, runs_at_once)
                .await
            {
                Ok(()) => continue,
                Err(StoreError::NoTurn { going_on: 1 }) => {
                    "for another maintenance to end".to_owned()
                }
                Err(StoreError::NoTurn { going_on }) => {
                    format!("for {going_on} other maintenances to end")
                }
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "cannot take the turn; trying on");
                    "for our own state".to_owned()
                }
            }
        };
        visit.not_cancelled()?;
        if told != waits_for {
            visit.waiting(waits_for.clone(), json!({})).await?;
            told = waits_for;
        }
        need_both(visit, copy).await?;
        sleep(LOOK_EVERY).await;
    }
}

/// People may have put one there since it was begun.
async fn refuse_freezes(visit: &Visit<'_>, wait: WindowWait) -> Result<(), Failure> {
    let database = visit.claim.database;
    let freezes = visit.read_store(|| visit.store.freezes_of(database)).await;
    let ends = wait.opens_at.checked_add(window::LENGTH);
    let opening = Interval::new(wait.opens_at, ends.unwrap_or(Timestamp::MAX));
    match freeze::is_frozen(&freezes, opening) {
        Some(freeze) => Err(Failure::Final(format!("it is in a freeze ({freeze})"))),
        None => Ok(()),
    }
}

/// Nobody else sees to the primary as long as this goes on: it is given up rather than left lying.
async fn need_both(visit: &Visit<'_>, copy: Copy) -> Result<(), Failure> {
    for (instance, name) in [
        (copy.source, "the primary"),
        (copy.follower, "the replacement"),
    ] {
        let seen = visit.observe_patiently(copy.host, instance).await?;
        if seen.process != ProcessState::Running {
            return Err(Failure::Final(format!("{name} has stopped")));
        }
    }
    Ok(())
}

fn as_told(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
