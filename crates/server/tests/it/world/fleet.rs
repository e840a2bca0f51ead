//! Databases in a line: scheduled if something is planned for them.

use async_trait::async_trait;
use upkeep_domain::maintenance::Outlook;
use upkeep_domain::refusal::Refusal;
use upkeep_server::backend::{Fleet, FleetView};

use super::World;

#[async_trait]
impl Fleet for World {
    async fn fleet(&self) -> Result<Vec<FleetView>, Refusal> {
        let state = self.state();
        let view = |database: &upkeep_server::backend::DatabaseView| {
            let planned = state.maintenances.get(&database.id);
            let planned = planned.filter(|planned| planned.scheduled_for.is_some());
            FleetView {
                database: database.name.to_string(),
                app: database.app.name.to_string(),
                plan: database.plan.name.clone(),
                release: Some("15.18-system".to_owned()),
                outlook: planned.map_or(Outlook::UpToDate, |_| Outlook::Scheduled),
                because: None,
                reason: planned.and_then(|planned| planned.reason.clone()),
                method: planned.and_then(|planned| planned.method.clone()),
                required_by: planned.and_then(|planned| planned.required_by),
                scheduled_for: planned.and_then(|planned| planned.scheduled_for),
            }
        };
        Ok(state.databases.iter().map(view).collect())
    }
}
