//! Waiting for the window of what was begun before it. Nobody feels it: the database serves, and its replacement
//! follows.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::id::MaintenanceId;
use upkeep_domain::instance::ProcessState;
use upkeep_domain::maintenance::{Window, freeze};
use upkeep_store::{Error as StoreError, WindowWait};

use super::Copy;
use super::copy::need_room;
use crate::workflow::{Done, Failure, Visit};

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A replacement that does not follow for so long is not waited for: its primary keeps WAL for it.
const BEHIND_MAX: Duration = Duration::from_secs(600);

/// Until the window opens and it is its turn, or a person wants it now.
pub(crate) async fn await_window(visit: &Visit<'_>, copy: Copy) -> Result<Done, Failure> {
    let Some(maintenance) = visit.claim.maintenance else {
        return Ok(Done::new());
    };
    let (mut told, mut followed_at) = (String::new(), Instant::now());
    loop {
        let wait = visit.read_store(|| visit.store.ready(maintenance)).await;
        let Some(wait) = wait else {
            return copy.catch_up(visit).await;
        };
        visit.not_cancelled()?;
        let waits_for = go_on(visit, maintenance, &wait).await?;
        if told != waits_for {
            visit.waiting(waits_for.clone(), json!({})).await?;
            told = waits_for;
        }
        if follows(visit, copy).await? {
            followed_at = Instant::now();
        } else if followed_at.elapsed() > BEHIND_MAX {
            let sentence = "the replacement does not follow its primary".to_owned();
            return Err(Failure::Final(sentence));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Lets it go on if it may. Tells what is waited for otherwise, and until that is seen.
async fn go_on(
    visit: &Visit<'_>,
    maintenance: MaintenanceId,
    wait: &WindowWait,
) -> Result<String, Failure> {
    let store = visit.store;
    let went_on = if let Some(required) = &wait.emergency {
        let because = required.found().reason.to_string();
        store.go_on_in_emergency(maintenance, &because).await
    } else if wait.now < wait.opens_at {
        let opens_at = wait.opens_at.strftime("%Y-%m-%d %H:%M UTC");
        return Ok(format!("for its window, which opens at {opens_at}"));
    } else if wait.until < wait.now {
        let sentence = "what is left of its window is too short".to_owned();
        return Err(Failure::Final(sentence));
    } else {
        refuse_freezes(visit, wait).await?;
        let runs_at_once = visit.world.policy.runs_at_once();
        let turn = store.take_window_turn(maintenance, wait.until, runs_at_once);
        turn.await.map(drop)
    };
    Ok(match went_on {
        Ok(()) => "for its turn".to_owned(),
        Err(StoreError::NoTurn { going_on: 1 }) => "for another maintenance to end".to_owned(),
        Err(StoreError::NoTurn { going_on }) => format!("for {going_on} other maintenances to end"),
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "cannot take the turn; trying on");
            "for our own state".to_owned()
        }
    })
}

/// People may have put one there since it was begun.
async fn refuse_freezes(visit: &Visit<'_>, wait: &WindowWait) -> Result<(), Failure> {
    let database = visit.claim.database;
    let freezes = visit.read_store(|| visit.store.freezes_of(database)).await;
    match freeze::is_frozen(&freezes, Window::opening_at(wait.opens_at)) {
        Some(freeze) => Err(Failure::Final(format!("it is in a freeze ({freeze})"))),
        None => Ok(()),
    }
}

/// Nobody else sees to the two as long as this goes on: it is given up rather than one of them left lying.
async fn follows(visit: &Visit<'_>, copy: Copy) -> Result<bool, Failure> {
    let primary = visit.observe_patiently(copy.host, copy.source).await?;
    let replacement = visit.observe_patiently(copy.host, copy.follower).await?;
    need_room(&replacement)?;
    for (seen, name) in [(&primary, "primary"), (&replacement, "replacement")] {
        if seen.process != ProcessState::Running {
            return Err(Failure::Final(format!("the {name} has stopped")));
        }
    }
    Ok(replacement.streaming == Some(true))
}
