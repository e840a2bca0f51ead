//! What is planned, begun by itself: in its window, and otherwise as if a person had asked for it.

use std::collections::HashMap;

use jiff::Timestamp;
use upkeep_domain::maintenance::Status;
use upkeep_domain::maintenance::standing::{Outline, Standing};
use upkeep_domain::maintenance::turn::{self, ITSELF, Verdict};
use upkeep_domain::procedure::{Steps, changeover};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{Error as StoreError, Turn};

use super::run_maintenance::{Prepared, RunMaintenance};
use super::window::changed_meanwhile;
use super::{already_busy, store_refusal};
use crate::Engine;
use crate::engine::RUNNING_MAX;

/// So many that are ready leave room for other work: each takes one of the places in which it is done.
const WAITING_MAX: i64 = RUNNING_MAX as i64 / 2;

/// How many maintenances went on when one was refused its turn, of those that are prepared and of those that run:
/// whoever is less urgent does not overtake it, also if one of them ends meanwhile.
#[derive(Default)]
pub(crate) struct Queue {
    going_on: HashMap<Status, i64>,
}

impl Queue {
    /// What is only to be prepared has nothing in its way yet.
    fn refuse(&mut self, status: Status, going_on: i64) -> Result<(), Refusal> {
        self.going_on.insert(status, going_on);
        match status {
            Status::Preparing => Ok(()),
            _ => Err(no_turn(going_on)),
        }
    }
}

impl Engine {
    /// Begins it if its window allows it now. What else keeps it from being begun is recorded with it, and it is
    /// asked for again the next time.
    pub(crate) async fn begin_planned(
        &self,
        now: Timestamp,
        standing: &Standing,
        queue: &mut Queue,
    ) -> Result<(), Refusal> {
        let planned = standing.planned.as_ref();
        let Some((planned, at)) =
            planned.and_then(|planned| Some((planned, planned.scheduled_for?)))
        else {
            return Ok(());
        };
        match standing.turn(now, at).verdict() {
            // What is missed is planned anew with the others.
            Verdict::NotYet | Verdict::Missed(_) => Ok(()),
            Verdict::Again { at } => self.note_waiting(planned, &turn::again_note(at)).await,
            Verdict::Begin { from, until } => {
                let turn = Turn {
                    scheduled_for: at,
                    from,
                    until,
                    runs_at_once: match standing.emergency_since() {
                        Some(_) => u32::MAX,
                        None => self.world.policy.runs_at_once(),
                    },
                };
                match self.take_turn(now, standing, planned, &turn, queue).await {
                    Ok(()) => Ok(()),
                    Err(refusal) => self.note_waiting(planned, &refusal.sentence).await,
                }
            }
        }
    }

    async fn take_turn(
        &self,
        now: Timestamp,
        standing: &Standing,
        planned: &Outline,
        turn: &Turn,
        queue: &mut Queue,
    ) -> Result<(), Refusal> {
        let is_early = now < turn.scheduled_for;
        let status = if is_early {
            Status::Preparing
        } else {
            Status::Running
        };
        // Before hosts are asked: those that wait for their turn may be many.
        let going_on = match queue.going_on.get(&status) {
            Some(going_on) => *going_on,
            None => self.going_on(status).await?,
        };
        if going_on >= i64::from(turn.runs_at_once) {
            return queue.refuse(status, going_on);
        }
        if is_early && self.going_on(Status::Ready).await? >= WAITING_MAX {
            return Ok(());
        }
        let database = self.store.database(standing.database).await;
        let Some(database) = database.map_err(|error| store_refusal(&error))? else {
            return Ok(());
        };
        let request = RunMaintenance {
            database,
            release: Some(planned.release_after.clone()),
            method: None,
            waivers: Vec::new(),
            by: ITSELF.to_owned(),
            request_id: None,
        };
        let mut prepared = self.prepare_run(&request).await?;
        if is_early {
            // What builds nothing has nothing to do before its window.
            if prepared.workflow.procedure != changeover::Step::PROCEDURE {
                return Ok(());
            }
            let preparing = turn.scheduled_for.duration_since(turn.from);
            let until = turn.until.checked_add(preparing);
            prepared.maintenance.go_on_until = Some(until.unwrap_or(Timestamp::MAX));
        }
        self.begin_prepared(&request, &prepared, turn, queue).await
    }

    async fn begin_prepared(
        &self,
        request: &RunMaintenance,
        prepared: &Prepared,
        turn: &Turn,
        queue: &mut Queue,
    ) -> Result<(), Refusal> {
        let Prepared {
            workflow,
            maintenance,
        } = prepared;
        let database = &request.database;
        let begun = self
            .store
            .begin_maintenance(workflow, maintenance, Some(turn))
            .await;
        match begun {
            Ok(()) => {
                self.wake();
                tracing::info!(
                    database = database.name,
                    method = maintenance.method,
                    waits_for_window = maintenance.go_on_until.is_some(),
                    "begun by itself"
                );
                Ok(())
            }
            Err(StoreError::NoTurn { going_on }) => queue.refuse(maintenance.status(), going_on),
            Err(StoreError::NotAsSeen) => Err(changed_meanwhile(database)),
            Err(StoreError::Exists { .. }) => Err(already_busy(
                &database.name,
                "maintenance",
                workflow.first_step,
            )),
            Err(error) => Err(store_refusal(&error)),
        }
    }

    async fn going_on(&self, status: Status) -> Result<i64, Refusal> {
        let going_on = self.store.maintenances_going_on(status).await;
        going_on.map_err(|error| store_refusal(&error))
    }

    async fn note_waiting(&self, planned: &Outline, waits_for: &str) -> Result<(), Refusal> {
        let noted = self.store.note_waiting(planned.id, waits_for).await;
        noted.map_err(|error| store_refusal(&error))
    }
}

fn no_turn(going_on: i64) -> Refusal {
    let sentence = match going_on {
        1 => "it waits for another maintenance to end".to_owned(),
        going_on => format!("it waits for one of {going_on} other maintenances to end"),
    };
    Refusal::new(RefusalKind::Busy, sentence)
        .with_hint("runs_at_once in the policy says how many may go on at once")
}
