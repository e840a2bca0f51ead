//! A maintenance is planned for what is due: its reasons are found, its method chosen, and its time. Found
//! again, what is planned changes with its reasons and goes with them.

mod time;

use jiff::Timestamp;
use upkeep_domain::id::MaintenanceId;
use upkeep_domain::maintenance::{Due, Found, Policy, Reason, Requirement, Window};
use upkeep_domain::refusal::Refusal;
use upkeep_domain::release::{Catalogue, Release, knowledge};
use upkeep_store::{Error as StoreError, NewPlan, Outline, Standing};

use time::Time;

use super::run_maintenance::due::newer;
use super::store_refusal;
use crate::Engine;

impl Engine {
    /// What is due for the database is planned from now on, and nothing else.
    pub(crate) async fn plan(
        &self,
        catalogue: &Catalogue,
        now: Timestamp,
        standing: &Standing,
    ) -> Result<(), Refusal> {
        let plan = self.world.plans.find(&standing.plan)?;
        let window = Window::of(standing.database, plan, standing.chosen_window.as_ref());
        // A release that is gone from the store tells nothing of what could be done.
        let present = catalogue.find(&standing.release).ok();
        let due = match (&window, present) {
            (Some(_), Some(present)) => find(catalogue, present, now, standing, &self.world.policy),
            _ => None,
        };
        match (due.zip(window), &standing.planned) {
            (None, None) => Ok(()),
            (None, Some(planned)) => {
                let withdrawn = self.store.withdraw(planned.id, planned.scheduled_for).await;
                withdrawn.map_err(|error| store_refusal(&error))
            }
            (Some(((due, target), window)), planned) => {
                let time = self.time(now, standing, &due, target, &window);
                if planned
                    .as_ref()
                    .is_some_and(|planned| is_as_it_was(planned, &due, target, &time))
                {
                    return Ok(());
                }
                self.write_plan(standing, &due, target, time).await
            }
        }
    }

    async fn write_plan(
        &self,
        standing: &Standing,
        due: &Due,
        target: &Release,
        time: Time,
    ) -> Result<(), Refusal> {
        let database = self.store.database(standing.database).await;
        let Some(database) = database.map_err(|error| store_refusal(&error))? else {
            return Ok(());
        };
        let primary = self.primary(&database).await?;
        let standby = self.ready_standby(&database, &primary).await?;
        let leader = self.leader_if_any(&database).await?;
        let choice = self.choose_method(
            &database,
            leader.as_ref(),
            standby.as_ref(),
            due.cause(),
            None,
        )?;
        let planned = standing.planned.as_ref();
        let new_id = || MaintenanceId(self.world.random.uuid());
        let plan = NewPlan {
            id: planned.map_or_else(new_id, |planned| planned.id),
            database: database.id,
            method: choice.method.to_string(),
            method_because: choice.because,
            reason: due.kind().to_string(),
            reason_because: due.to_string(),
            release_before: standing.release.clone(),
            release_after: target.name.to_string(),
            required_by: due.required_by,
            scheduled_for: time.scheduled_for,
            schedule_note: time.note,
            chosen_window: standing.chosen_window.clone(),
            seen_scheduled_for: planned.and_then(|planned| planned.scheduled_for),
            previously_scheduled_for: time.previously,
            notice: time.notice,
        };
        match self.store.plan(&plan).await {
            // What is not as it was seen is looked at again the next time.
            Ok(()) | Err(StoreError::Exists { .. }) => Ok(()),
            Err(error) => Err(store_refusal(&error)),
        }
    }
}

/// All reasons that are found, and the release that the database is to run on for them.
fn find<'a>(
    catalogue: &'a Catalogue,
    present: &'a Release,
    now: Timestamp,
    standing: &Standing,
    policy: &Policy,
) -> Option<(Due, &'a Release)> {
    let mut found = Vec::new();
    let newest = newer(catalogue, present).max_by_key(|release| release.version);
    if let Some(newest) = newest {
        // From when on there was something newer for it.
        let added = newer(catalogue, present)
            .map(|release| release.added_ms)
            .min();
        let added = Timestamp::from_millisecond(added.unwrap_or_default() as i64);
        let since = added.unwrap_or_default().max(standing.created_at);
        found.extend(reasons_of(present, newest).map(|reason| Found { reason, since }));
    }
    let since = policy.routine_from(standing.maintained_at);
    if since <= now {
        let last_at = standing.maintained_at;
        let reason = Reason::Routine { last_at };
        found.push(Found { reason, since });
    }
    found.extend(standing.required.as_ref().map(Requirement::found));
    Some((Due::merge(found, policy)?, newest.unwrap_or(present)))
}

fn reasons_of(present: &Release, newest: &Release) -> impl Iterator<Item = Reason> {
    let (version, to) = (present.version, newest.version);
    let withdrawn = knowledge::withdrawn(version).map(|because| Reason::WithdrawnRelease {
        version,
        because: because.to_owned(),
    });
    let newer = if knowledge::closes_holes(version, to) {
        Reason::SecurityRelease { to }
    } else {
        Reason::MinorRelease { to }
    };
    withdrawn.into_iter().chain([newer])
}

fn is_as_it_was(planned: &Outline, due: &Due, target: &Release, time: &Time) -> bool {
    planned.required_by == Some(due.required_by)
        && planned.release_after == target.name.as_str()
        && planned.reason_because == Some(due.to_string())
        && planned.scheduled_for == time.scheduled_for
        && planned.schedule_note == time.note
}
