//! Every database in a line.

use async_trait::async_trait;
use upkeep_domain::refusal::Refusal;
use upkeep_engine::request::InFleet;
use upkeep_server::backend::{Fleet, FleetView};

use super::EngineBackend;

#[async_trait]
impl Fleet for EngineBackend {
    async fn fleet(&self) -> Result<Vec<FleetView>, Refusal> {
        Ok(self.engine.fleet().await?.into_iter().map(view).collect())
    }
}

fn view(one: InFleet) -> FleetView {
    let planned = one.row.planned.unwrap_or_default();
    FleetView {
        database: one.row.database,
        app: one.row.app,
        plan: one.row.plan,
        release: one.row.release,
        outlook: one.outlook,
        because: one.because,
        reason: one.row.reason,
        method: one.row.method,
        required_by: planned.required_by,
        scheduled_for: planned.scheduled_for,
    }
}
