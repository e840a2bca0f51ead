//! `data:maintenances:cancel`: whoever runs it is told, and undoes what was done. Nothing is waited for.

use upkeep_domain::procedure::{
    Direction, Steps, changeover, failover, follower_changeover, restart,
};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{Cancelling, Database, Maintenance};

use super::store_refusal;
use crate::Engine;

impl Engine {
    /// # Errors
    /// `NotReady` when nothing is going on, `Conflict` when it cannot be undone any more.
    pub async fn cancel_maintenance(
        &self,
        database: &Database,
        by: &str,
    ) -> Result<Maintenance, Refusal> {
        let cancelling = self.store.cancel(database.id, by).await;
        let cancelling = cancelling.map_err(|error| store_refusal(&error))?;
        let Some(Cancelling { procedure, step }) = cancelling else {
            return Err(self.nothing_to_cancel(database).await?);
        };
        if direction(&procedure, &step) != Some(Direction::Forward) {
            return Err(too_late(database, &procedure, &step));
        }
        self.newest_maintenance(database).await
    }

    async fn nothing_to_cancel(&self, database: &Database) -> Result<Refusal, Refusal> {
        let unfinished = self.store.unfinished(database.id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        let name = &database.name;
        Ok(match unfinished {
            Some(work) if work.is_stuck && work.database == *name => Refusal::new(
                RefusalKind::Conflict,
                format!("the {} of `{name}` is stuck at `{}`", work.procedure, work.step),
            )
            .with_hint(format!(
                "put right what keeps it there, then `upkeep data:maintenances:run {name}` goes on where it stands"
            )),
            _ => Refusal::new(
                RefusalKind::NotReady,
                format!("no maintenance of `{name}` is going on"),
            )
            .with_hint(format!(
                "`upkeep data:maintenances:history {name}` shows the past ones"
            )),
        })
    }
}

fn direction(procedure: &str, step: &str) -> Option<Direction> {
    fn of<S: Steps>(step: &str) -> Option<Direction> {
        S::named(step).map(|step| step.spec().direction)
    }
    match procedure {
        changeover::Step::PROCEDURE => of::<changeover::Step>(step),
        failover::Step::PROCEDURE => of::<failover::Step>(step),
        restart::Step::PROCEDURE => of::<restart::Step>(step),
        follower_changeover::Step::PROCEDURE => of::<follower_changeover::Step>(step),
        _ => None,
    }
}

fn too_late(database: &Database, procedure: &str, step: &str) -> Refusal {
    let name = &database.name;
    Refusal::new(
        RefusalKind::Conflict,
        format!("the {procedure} of `{name}` is at `{step}`: it is being undone already, or cannot be any more"),
    )
    .with_hint(format!(
        "follow it with: upkeep data:maintenances:wait {name}"
    ))
}
