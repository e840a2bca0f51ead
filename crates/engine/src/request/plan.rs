//! What is due for a database is planned: the decision is the domain's; here the method is chosen, and it is written.

use upkeep_domain::id::MaintenanceId;
use upkeep_domain::maintenance::planning::{Decision, Planning, Wanted};
use upkeep_domain::maintenance::standing::Standing;
use upkeep_domain::refusal::Refusal;
use upkeep_store::{Error as StoreError, NewPlan};

use super::store_refusal;
use crate::Engine;

impl Engine {
    /// What is due for the database is planned from now on, and nothing else.
    pub(crate) async fn plan(
        &self,
        planning: &Planning<'_>,
        standing: &Standing,
    ) -> Result<(), Refusal> {
        let plan = self.world.plans.find(&standing.plan)?;
        match planning.decide(standing, plan) {
            Decision::Keep => Ok(()),
            Decision::Withdraw {
                planned,
                scheduled_for,
            } => {
                let withdrawn = self.store.withdraw(planned, scheduled_for).await;
                withdrawn.map_err(|error| store_refusal(&error))
            }
            Decision::Plan(wanted) => self.write_plan(standing, wanted).await,
        }
    }

    async fn write_plan(&self, standing: &Standing, wanted: Wanted<'_>) -> Result<(), Refusal> {
        let Wanted { due, target, time } = wanted;
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
