//! `data:maintenances:cancel`: whoever runs it is told, and undoes what was done. Nothing is waited for.

use upkeep_domain::procedure::{
    Direction, Steps, changeover, failover, follower_changeover, restart,
};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_store::{Database, Maintenance};

use super::store_refusal;
use crate::Engine;

impl Engine {
    /// # Errors
    /// `NotReady` when nothing is going on, `Conflict` when it is stuck or cannot be undone any more.
    pub async fn cancel_maintenance(
        &self,
        database: &Database,
        by: &str,
    ) -> Result<Maintenance, Refusal> {
        let marked = self.store.cancel(database.id, by, &undoable()).await;
        if marked.map_err(|error| store_refusal(&error))? {
            return self.newest_maintenance(database).await;
        }
        Err(self.not_cancelled(database).await?)
    }

    async fn not_cancelled(&self, database: &Database) -> Result<Refusal, Refusal> {
        let unfinished = self.store.unfinished(database.id).await;
        let unfinished = unfinished.map_err(|error| store_refusal(&error))?;
        let name = &database.name;
        let Some(work) = unfinished.filter(|work| work.database == *name) else {
            let sentence = format!("no maintenance of `{name}` is going on");
            return Ok(
                Refusal::new(RefusalKind::NotReady, sentence).with_hint(format!(
                    "`upkeep data:maintenances:history {name}` shows the past ones"
                )),
            );
        };
        let (procedure, step) = (&work.procedure, &work.step);
        Ok(if work.is_stuck {
            Refusal::conflict(format!("the {procedure} of `{name}` is stuck at `{step}`"))
                .with_hint(format!(
                    "put right what keeps it there, then `upkeep data:maintenances:run {name}` goes on where it stands"
                ))
        } else {
            Refusal::conflict(format!(
                "the {procedure} of `{name}` is at `{step}`: it is being undone already, or cannot be any more"
            ))
            .with_hint(format!("follow it with: upkeep data:maintenances:wait {name}"))
        })
    }
}

/// The steps of maintenances behind which everything can be as it was.
pub(crate) fn undoable() -> Vec<String> {
    fn of<S: Steps>() -> impl Iterator<Item = String> {
        let forward = S::ALL
            .iter()
            .map(|step| step.spec())
            .filter(|spec| spec.direction == Direction::Forward);
        forward.map(|spec| format!("{}.{}", S::PROCEDURE, spec.name))
    }
    of::<changeover::Step>()
        .chain(of::<failover::Step>())
        .chain(of::<restart::Step>())
        .chain(of::<follower_changeover::Step>())
        .collect()
}
