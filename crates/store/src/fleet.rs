//! Every database there is, with what is planned for it and what is being done to it.

use jiff::Timestamp;
use tokio_postgres::Row;
use upkeep_domain::maintenance::outlook::{Planned, Work};

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetRow {
    pub database: String,
    pub app: String,
    pub plan: String,
    /// That of its primary, as soon as it has one.
    pub release: Option<String>,
    /// Of what is planned or goes on.
    pub reason: Option<String>,
    pub method: Option<String>,
    pub work: Option<Work>,
    pub planned: Option<Planned>,
}

const FLEET: &str = "
    SELECT d.name, a.name AS app, d.plan, i.release, coalesce(m.reason, p.reason) AS reason,
           coalesce(m.method, p.method) AS method, w.procedure, w.ended_as, w.failure,
           p.id IS NOT NULL AS is_planned, p.required_by, p.scheduled_for, p.sentence AS waits_for,
           CASE p.status WHEN 'preparing' THEN 'its replacement is being built'
                         WHEN 'ready' THEN 'its replacement is ready' ELSE p.schedule_note END AS schedule_note
    FROM upkeep.databases d
    JOIN upkeep.apps a ON a.id = d.app_id
    LEFT JOIN upkeep.instances i ON i.id = d.primary_instance
    LEFT JOIN upkeep.maintenances p ON p.database_id = d.id
        AND (p.started_at IS NULL OR p.status IN ('preparing', 'ready'))
    -- What waits for its window does not go on yet.
    LEFT JOIN upkeep.workflows w ON w.database_id = d.id AND (w.ended_as IS NULL OR w.ended_as = 'stuck')
        AND w.maintenance_id IS DISTINCT FROM p.id
    LEFT JOIN upkeep.maintenances m ON m.id = w.maintenance_id
    WHERE d.state IN ('provisioning', 'provisioned', 'deprovisioning')
    ORDER BY a.name, d.name";

impl Store {
    /// By app and name.
    pub async fn fleet(&self) -> Result<Vec<FleetRow>, Error> {
        let rows = self.client().await?.query(FLEET, &[]).await;
        let rows = rows.map_err(Error::query("list the fleet"))?;
        Ok(rows.iter().map(FleetRow::from_row).collect())
    }
}

impl FleetRow {
    fn from_row(row: &Row) -> Self {
        let procedure = row.get::<_, Option<String>>("procedure");
        let stuck = row.get::<_, Option<&str>>("ended_as").is_some();
        let work = |procedure| {
            if stuck {
                let because = row.get("failure");
                Work::Stuck { because }
            } else {
                Work::GoesOn { procedure }
            }
        };
        let planned = || Planned {
            required_by: row.get::<_, Option<Timestamp>>("required_by"),
            scheduled_for: row.get("scheduled_for"),
            note: row.get("schedule_note"),
            waits_for: row.get("waits_for"),
        };
        Self {
            database: row.get("name"),
            app: row.get("app"),
            plan: row.get("plan"),
            release: row.get("release"),
            reason: row.get("reason"),
            method: row.get("method"),
            work: procedure.map(work),
            planned: row.get::<_, bool>("is_planned").then(planned),
        }
    }
}
