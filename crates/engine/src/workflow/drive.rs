//! The driver: runs a claimed workflow step by step until it ends or the claim is lost.
//!
//! Theory of operation. The row says which step and which visit; the step is done; one transaction
//! commits its state, what comes next, the events and the changes. A crash anywhere leaves the row
//! at the last committed step, and whoever claims it next visits that step again under the same
//! command ids, so that agents answer with what they have done already.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tracing::{Instrument, info_span};
use upkeep_domain::error_chain::ErrorChain;
use upkeep_domain::procedure::{Direction, End, Steps, Verdict};
use upkeep_store::{Claim, Error as StoreError, EventKind, NewEvent, Store, Transition};

use super::decide::{Decision, decide};
use super::run::{Done, Failure, Run, Visit, cancelled};
use crate::engine::LEASE;
use crate::procedure::{
    Changeover, Destroy, Failover, Follow, FollowerChangeover, Provision, Restart, Standby,
    Unfollow,
};
use crate::{Boundary, World};

/// Renewed that often, a claim survives two lost renewals.
const RENEW_EVERY: Duration = Duration::from_secs(1);
const COMMIT_RETRY: Duration = Duration::from_millis(100);

/// Runs a claimed workflow to its end, or until somebody else has it.
pub(crate) async fn drive(world: &World, store: &Store, claim: Claim) {
    let span = info_span!("workflow", id = %claim.workflow, procedure = %claim.procedure, database = %claim.database);
    let procedure = claim.procedure.clone();
    let driven = async {
        match procedure.as_str() {
            "provision" => drive_as::<Provision>(world, store, claim).await,
            "changeover" => drive_as::<Changeover>(world, store, claim).await,
            "restart" => drive_as::<Restart>(world, store, claim).await,
            "failover" => drive_as::<Failover>(world, store, claim).await,
            "follow" => drive_as::<Follow>(world, store, claim).await,
            "follower_changeover" => drive_as::<FollowerChangeover>(world, store, claim).await,
            "unfollow" => drive_as::<Unfollow>(world, store, claim).await,
            "standby" => drive_as::<Standby>(world, store, claim).await,
            "destroy" => drive_as::<Destroy>(world, store, claim).await,
            // A newer program began it: left alone, its lease ends, and that program takes it.
            _ => tracing::error!("this program does not know the procedure"),
        }
    };
    driven.instrument(span).await;
}

async fn drive_as<R: Run>(world: &World, store: &Store, mut claim: Claim) {
    let mut run: R = match serde_json::from_value(claim.state.clone()) {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(%error, "cannot read the state of the workflow");
            return;
        }
    };
    let Some(mut step) = R::Step::named(&claim.step) else {
        tracing::error!(step = claim.step, "this program does not know the step");
        return;
    };
    loop {
        let name = step.spec().name;
        let cross = |boundary| world.boundaries.cross(R::Step::PROCEDURE, name, boundary);
        cross(Boundary::BeforeEffect);
        let began = Instant::now();
        let result = match &claim.cancelled_by {
            Some(by) if heeds_cancel(step) => Err(cancelled(by)),
            _ => visit(world, store, &claim, &mut run, step).await,
        };
        cross(Boundary::AfterEffect);
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        let Some((transition, next)) = transition(&mut run, &claim, step, result, ms) else {
            tracing::info!("another controller runs it now");
            return;
        };
        if !commit(store, &mut claim, &transition).await {
            return;
        }
        cross(Boundary::AfterCommit);
        let Some(next) = next else { return };
        if !transition.pause.is_zero() {
            // Even a sleep of nothing takes up to a millisecond, and clients may be waiting.
            sleep(transition.pause).await;
        }
        step = next;
        claim.step = transition.step.to_owned();
        claim.visit = transition.visit;
        claim.tries = transition.tries;
        claim.failure = transition.failure.or(claim.failure);
    }
}

/// Only what can still be undone is: behind that a run is finished, whoever has changed his mind.
fn heeds_cancel<S: Steps>(step: S) -> bool {
    step.spec().direction == Direction::Forward
}

/// One visit under its deadline, with the claim renewed beside it.
async fn visit<R: Run>(
    world: &World,
    store: &Store,
    claim: &Claim,
    run: &mut R,
    step: R::Step,
) -> Result<Done, Failure> {
    let spec = step.spec();
    let visit = Visit::new(world, store, claim, &spec);
    let work = AssertUnwindSafe(timeout(spec.deadline, run.visit(step, &visit))).catch_unwind();
    tokio::pin!(work);
    let mut renewals = interval(RENEW_EVERY);
    renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renewals.reset();
    loop {
        tokio::select! {
            biased;
            ended = &mut work => {
                return match ended {
                    Ok(Ok(result)) => result,
                    Ok(Err(_)) => Err(Failure::Unknown(format!("no end within {} s", spec.deadline.as_secs()))),
                    Err(_) => Err(Failure::Failed("a defect of ours: the step panicked".to_owned())),
                };
            }
            _ = renewals.tick() => match store.renew_claim(claim, LEASE).await {
                Ok(Some(by)) if heeds_cancel(step) => visit.cancel(by),
                Ok(_) => {}
                Err(StoreError::ClaimLost) => return Err(Failure::Stale),
                // Fences keep a stale controller harmless, so an unreachable store is no reason to drop a step.
                Err(error) => tracing::warn!(error = %ErrorChain(&error), "cannot renew the claim"),
            },
        }
    }
}

/// What to commit, and the step to go on with. `None` when the claim is lost.
fn transition<R: Run>(
    run: &mut R,
    claim: &Claim,
    step: R::Step,
    result: Result<Done, Failure>,
    ms: f64,
) -> Option<(Transition, Option<R::Step>)> {
    let (verdict, mut changes, detail, remark) = match result {
        Ok(done) => (Ok(done.verdict), done.changes, done.detail, done.remark),
        Err(failure) => (Err(failure), Vec::new(), json!({}), None),
    };
    let kind = match &verdict {
        Ok(Verdict::Done) => EventKind::Done,
        Ok(Verdict::Again) => EventKind::Again,
        Ok(Verdict::Failed) | Err(_) => EventKind::Failed,
    };
    let decision = decide(step, claim.tries, verdict);
    let spec = step.spec();
    let mut events = vec![NewEvent {
        step: spec.name,
        kind,
        sentence: sentence_of(&decision).unwrap_or(spec.sentence).to_owned(),
        detail: with_ms(detail, ms),
    }];
    let visit = claim.visit;
    let (step, visit, tries, ended_as, failure, pause) = match decision {
        Decision::Leave => return None,
        Decision::Go { step, failure } => (step, visit + 1, 0, None, failure, Duration::ZERO),
        Decision::Retry { same_visit, .. } => (
            step,
            if same_visit { visit } else { visit + 1 },
            claim.tries + 1,
            None,
            None,
            spec.pause_after(claim.tries + 1),
        ),
        Decision::End { end, failure } => {
            (step, visit, claim.tries, Some(end), failure, Duration::ZERO)
        }
    };
    let next = step.spec();
    changes.extend(run.to_record());
    match ended_as {
        Some(end) => {
            changes.extend(run.at_end(end));
            let why = failure.as_deref().or(remark.as_deref());
            let why = why.or(claim.failure.as_deref());
            events.push(ended(next.name, end, why));
        }
        None if kind != EventKind::Failed || tries == 0 => events.push(NewEvent {
            step: next.name,
            kind: EventKind::Started,
            sentence: next.sentence.to_owned(),
            detail: json!({}),
        }),
        None => {}
    }
    let state = serde_json::to_value(run).expect("the state of a procedure is plain data");
    let transition = Transition {
        step: next.name,
        visit,
        tries,
        new_step: tries == 0,
        state,
        ended_as,
        failure: failure.or(remark),
        pause,
        events,
        changes,
    };
    Some((transition, ended_as.is_none().then_some(step)))
}

fn sentence_of<S>(decision: &Decision<S>) -> Option<&str> {
    match decision {
        Decision::Go { failure, .. } | Decision::End { failure, .. } => failure.as_deref(),
        Decision::Retry { sentence, .. } => Some(sentence),
        Decision::Leave => None,
    }
}

fn ended(step: &'static str, end: End, failure: Option<&str>) -> NewEvent {
    let sentence = match end {
        End::Succeeded => failure.map_or("Succeeded".to_owned(), |remark| {
            format!("Succeeded, though not as asked: {remark}")
        }),
        End::RolledBack => format!(
            "Rolled back, nothing changed: {}",
            failure.unwrap_or("see above")
        ),
        End::Stuck => format!(
            "Stuck, a person has to look: {}",
            failure.unwrap_or("see above")
        ),
    };
    NewEvent {
        step,
        kind: EventKind::Ended,
        sentence,
        detail: json!({ "ended_as": end.to_string() }),
    }
}

fn with_ms(mut detail: Value, ms: f64) -> Value {
    detail["ms"] = json!((ms * 1000.0).round() / 1000.0);
    detail
}

/// Commits, however long the store is away, and hears who has called it off. False when the claim is lost.
async fn commit(store: &Store, claim: &mut Claim, transition: &Transition) -> bool {
    loop {
        match store.commit(claim, transition).await {
            Ok(cancelled_by) => {
                claim.cancelled_by = cancelled_by;
                return true;
            }
            Err(StoreError::ClaimLost) => {
                tracing::info!("another controller runs it now");
                return false;
            }
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), "cannot commit a step; trying on");
                sleep(COMMIT_RETRY).await;
            }
        }
    }
}
