//! Every database in a line, what needs a person first.

use upkeep_domain::maintenance::Outlook;
use upkeep_domain::maintenance::outlook::{Seen, judge};
use upkeep_domain::refusal::Refusal;
use upkeep_store::FleetRow;

use super::store_refusal;
use crate::Engine;

#[derive(Clone, Debug)]
pub struct InFleet {
    pub row: FleetRow,
    pub outlook: Outlook,
    /// Why, if there is more to say.
    pub because: Option<String>,
}

impl Engine {
    pub async fn fleet(&self) -> Result<Vec<InFleet>, Refusal> {
        let now = self.store.now().await;
        let now = now.map_err(|error| store_refusal(&error))?;
        let rows = self.store.fleet().await;
        let judged = rows.map_err(|error| store_refusal(&error))?.into_iter();
        let judged = judged.map(|row| {
            let seen = Seen {
                work: row.work.clone(),
                planned: row.planned.clone(),
            };
            let (outlook, because) = judge(now, &seen);
            InFleet {
                row,
                outlook,
                because,
            }
        });
        let mut fleet: Vec<_> = judged.collect();
        fleet.sort_by_key(|one| one.outlook);
        Ok(fleet)
    }
}
