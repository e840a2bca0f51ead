//! Maintenances: planned work as people see it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::{DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::{Forecast, Status};
use upkeep_domain::preflight::{Report, Waiver};

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug)]
pub struct Maintenance {
    pub id: MaintenanceId,
    pub database_id: DatabaseId,
    pub status: String,
    pub method: String,
    /// Why this method; not known of those that are older than this knowledge.
    pub method_because: Option<String>,
    pub reason: String,
    /// All of its reasons, of one that was planned.
    pub reason_because: Option<String>,
    pub release_before: String,
    pub release_after: String,
    pub outcome: Option<String>,
    /// Why it did not come about; of one that is planned, why it is not begun yet.
    pub sentence: Option<String>,
    pub forecast: Option<Forecast>,
    pub felt: Option<Felt>,
    /// Settings that waited for it and took effect.
    pub settings_applied: Vec<WaitingSetting>,
    pub steps_ms: Option<BTreeMap<String, f64>>,
    /// Of each time it was looked at, the first one first.
    pub preflight: Vec<Report>,
    pub waivers: Vec<Waiver>,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    pub previously_scheduled_for: Option<Timestamp>,
    pub schedule_note: Option<String>,
    /// What the window was called when it began.
    pub window_then: Option<String>,
    /// Not known of those that are older than this knowledge.
    pub begun_by: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

/// A maintenance that begins with the workflow it is inserted with. One that is planned may have the id: then it
/// is that one, and its reasons and times stay.
#[derive(Clone, Debug)]
pub struct NewMaintenance {
    pub id: MaintenanceId,
    pub method: String,
    pub method_because: String,
    pub reason: String,
    pub release_before: String,
    pub release_after: String,
    pub waivers: Vec<Waiver>,
    pub size_bytes: Option<u64>,
    pub forecast: Option<Forecast>,
    /// What the database's window is called.
    pub window: Option<String>,
    /// Who asked for it.
    pub begun_by: String,
    pub request_id: Option<String>,
    /// Of one that is begun before its window, to prepare for it: later than that it would not end within it.
    pub go_on_until: Option<Timestamp>,
}

impl NewMaintenance {
    pub fn status(&self) -> Status {
        if self.go_on_until.is_some() {
            Status::Preparing
        } else {
            Status::Running
        }
    }
}

impl Maintenance {
    pub(crate) fn from_row(row: &Row) -> Self {
        Self {
            id: MaintenanceId(row.get("id")),
            database_id: DatabaseId(row.get("database_id")),
            status: row.get("status"),
            method: row.get("method"),
            method_because: row.get("method_because"),
            reason: row.get("reason"),
            reason_because: row.get("reason_because"),
            release_before: row.get("release_before"),
            release_after: row.get("release_after"),
            outcome: row.get("outcome"),
            sentence: row.get("sentence"),
            forecast: row
                .get::<_, Option<Json<Forecast>>>("forecast")
                .map(|Json(forecast)| forecast),
            felt: row
                .get::<_, Option<Json<Felt>>>("felt")
                .map(|Json(felt)| felt),
            settings_applied: row
                .get::<_, Option<Json<Vec<WaitingSetting>>>>("settings_applied")
                .map(|Json(settings)| settings)
                .unwrap_or_default(),
            steps_ms: row
                .get::<_, Option<Json<BTreeMap<String, f64>>>>("steps_ms")
                .map(|Json(steps)| steps),
            preflight: preflight(row.get("preflight")),
            waivers: waivers(row.get("waivers")),
            required_by: row.get("required_by"),
            scheduled_for: row.get("scheduled_for"),
            previously_scheduled_for: row.get("previously_scheduled_for"),
            schedule_note: row.get("schedule_note"),
            window_then: row.get("window_then"),
            begun_by: row.get("begun_by"),
            created_at: row.get("created_at"),
            started_at: row.get("started_at"),
            completed_at: row.get("completed_at"),
        }
    }
}

/// The names of the moments are in the order of time.
fn preflight(Json(reports): Json<BTreeMap<String, Report>>) -> Vec<Report> {
    reports.into_values().collect()
}

fn waivers(Json(waivers): Json<Vec<Waiver>>) -> Vec<Waiver> {
    waivers
}

impl Store {
    /// Those that were begun, the one that was begun last first.
    pub async fn maintenances(
        &self,
        database: DatabaseId,
        limit: u32,
    ) -> Result<Vec<Maintenance>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT * FROM upkeep.maintenances WHERE database_id = $1 AND started_at IS NOT NULL
                 ORDER BY started_at DESC, id DESC LIMIT $2",
                &[&database.0, &i64::from(limit)],
            )
            .await
            .map_err(Error::query("list maintenances"))?;
        Ok(rows.iter().map(Maintenance::from_row).collect())
    }

    /// What was seen for what is planned, in the place of what was seen before. Of what has begun it is told no more.
    pub async fn record_look_ahead(
        &self,
        maintenance: MaintenanceId,
        report: &Report,
        forecast: Option<&Forecast>,
    ) -> Result<(), Error> {
        let client = self.client().await?;
        let recorded = client
            .execute(
                "UPDATE upkeep.maintenances
                 SET preflight = preflight || pg_catalog.jsonb_build_object($2::text, $3::jsonb), forecast = $4
                 WHERE id = $1 AND started_at IS NULL",
                &[
                    &maintenance.0,
                    &report.run.as_str(),
                    &Json(report),
                    &forecast.map(Json),
                ],
            )
            .await;
        recorded
            .map(drop)
            .map_err(Error::query("record what a maintenance will meet"))
    }

    /// The maintenance that an earlier try of the same request began.
    pub async fn maintenance_by_request(
        &self,
        request_id: &str,
    ) -> Result<Option<Maintenance>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT * FROM upkeep.maintenances WHERE request_id = $1",
                &[&request_id],
            )
            .await
            .map_err(Error::query("read a maintenance by its request"))?;
        Ok(row.as_ref().map(Maintenance::from_row))
    }
}
