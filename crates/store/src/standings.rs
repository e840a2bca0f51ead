//! Databases at which nothing is being done, with what planning has to know of each: what is planned, what
//! became of it before, and how long its runs take.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::id::{AppId, DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::turn::RolledBack;
use upkeep_domain::maintenance::{Freeze, Requirement, Window};
use uuid::Uuid;

use crate::freezes::{KeptFreeze, concerning};
use crate::requirements::requirement;
use crate::{Error, Store};

#[derive(Clone, Debug)]
pub struct Standing {
    pub database: DatabaseId,
    pub plan: String,
    /// That of its primary.
    pub release: String,
    pub chosen_window: Option<Window>,
    /// Those that concern it.
    pub freezes: Vec<Freeze>,
    pub created_at: Timestamp,
    /// When it was last maintained with success; when it was made, if never.
    pub maintained_at: Timestamp,
    pub planned: Option<Outline>,
    pub undone: Option<Undone>,
    /// What a person requires of it, and has not been done.
    pub required: Option<Requirement>,
    /// The longest of its last successful runs, by the planned method if one is planned.
    pub longest_run: Option<SignedDuration>,
}

/// What is planned, as far as it may change with its reasons.
#[derive(Clone, Debug)]
pub struct Outline {
    pub id: MaintenanceId,
    pub reason: String,
    pub reason_because: Option<String>,
    pub release_after: String,
    pub required_by: Option<Timestamp>,
    pub scheduled_for: Option<Timestamp>,
    pub schedule_note: Option<String>,
    /// Why it was not begun, though its window is open.
    pub waits_for: Option<String>,
}

/// The last run of what was planned, if it was rolled back.
#[derive(Clone, Debug)]
pub struct Undone {
    pub reason: String,
    pub scheduled_for: Timestamp,
    pub release_after: String,
    pub last_at: Timestamp,
    /// Of those that ended in the window; those that people ran before it do not count.
    pub in_window: Option<RolledBack>,
}

/// So many of its earlier runs tell how long one takes.
const RUNS_LOOKED_AT: i64 = 5;

const STANDINGS: &str = "
    SELECT d.id, d.plan, d.maintenance_window, d.created_at, i.release,
           ARRAY(SELECT t.app_id FROM upkeep.attachments t WHERE t.database_id = d.id) AS apps,
           coalesce((SELECT max(m.completed_at) FROM upkeep.maintenances m
                     WHERE m.database_id = d.id AND m.outcome = 'succeeded'), d.created_at) AS maintained_at,
           p.id AS planned_id, p.reason, p.reason_because, p.release_after, p.required_by, p.scheduled_for, p.schedule_note,
           p.sentence AS waits_for, r.longest_ms,
           u.reason AS undone_reason, u.scheduled_for AS undone_for, u.release_after AS undone_release, u.completed_at AS undone_at,
           u.sentence AS undone_because, u.cancelled_by AS undone_by, u.times AS undone_times,
           q.because, q.emergency, q.required_by AS requirer, q.created_at AS required_since
    FROM upkeep.databases d
    JOIN upkeep.instances i ON i.id = d.primary_instance
    LEFT JOIN upkeep.maintenances p ON p.database_id = d.id AND p.started_at IS NULL
    LEFT JOIN LATERAL (
        SELECT max(ms) AS longest_ms FROM (
            SELECT (SELECT sum(value::double precision) FROM pg_catalog.jsonb_each_text(m.steps_ms)) AS ms
            FROM upkeep.maintenances m
            WHERE m.database_id = d.id AND m.outcome = 'succeeded' AND m.method = coalesce(p.method, m.method)
            ORDER BY m.completed_at DESC LIMIT $2) runs) r ON true
    LEFT JOIN LATERAL (
        SELECT m.outcome, m.reason, m.scheduled_for, m.release_after, m.completed_at, m.sentence,
               (SELECT w.cancelled_by FROM upkeep.workflows w WHERE w.maintenance_id = m.id
                ORDER BY w.ticket DESC LIMIT 1),
               (SELECT count(*) FROM upkeep.maintenances f
                WHERE f.database_id = d.id AND f.outcome = 'rolled_back' AND f.scheduled_for = m.scheduled_for
                  AND f.completed_at >= f.scheduled_for) AS times
        FROM upkeep.maintenances m
        WHERE m.database_id = d.id AND m.started_at IS NOT NULL AND m.scheduled_for IS NOT NULL
        ORDER BY m.started_at DESC LIMIT 1) u ON u.outcome = 'rolled_back'
    LEFT JOIN upkeep.requirements q ON q.database_id = d.id AND NOT EXISTS (
        SELECT FROM upkeep.maintenances m
        WHERE m.database_id = d.id AND m.outcome = 'succeeded' AND m.started_at >= q.created_at)
    WHERE d.state = 'provisioned' AND (NOT $1 OR p.scheduled_for <= now()) AND NOT EXISTS (
        SELECT FROM upkeep.workflows w
        WHERE w.database_id = d.id AND (w.ended_as IS NULL OR w.ended_as = 'stuck'))
    ORDER BY CASE WHEN $1 THEN p.required_by END, d.created_at, d.id";

impl Store {
    /// Every provisioned database at which nothing is being done.
    pub async fn standings(&self) -> Result<Vec<Standing>, Error> {
        self.read_standings(false).await
    }

    /// Those of them whose planned time has come, the one that is required first going first.
    pub async fn standings_to_begin(&self) -> Result<Vec<Standing>, Error> {
        self.read_standings(true).await
    }

    async fn read_standings(&self, time_has_come: bool) -> Result<Vec<Standing>, Error> {
        let freezes = self.freezes().await?;
        let client = self.client().await?;
        let rows = client
            .query(STANDINGS, &[&time_has_come, &RUNS_LOOKED_AT])
            .await;
        let rows = rows.map_err(Error::query("list databases for planning"))?;
        let standing = |row| Standing::from_row(row, &freezes);
        Ok(rows.iter().map(standing).collect())
    }
}

impl Standing {
    /// Since when it has to be done whatever windows and freezes say.
    pub fn emergency_since(&self) -> Option<Timestamp> {
        let required = self.required.as_ref();
        let emergency = required.filter(|required| required.emergency);
        emergency.map(|required| required.since)
    }

    fn from_row(row: &Row, freezes: &[KeptFreeze]) -> Self {
        let apps: Vec<Uuid> = row.get("apps");
        let apps: Vec<AppId> = apps.into_iter().map(AppId).collect();
        let planned = row.get::<_, Option<Uuid>>("planned_id");
        let longest_ms = row.get::<_, Option<f64>>("longest_ms");
        Self {
            database: DatabaseId(row.get("id")),
            plan: row.get("plan"),
            release: row.get("release"),
            chosen_window: row
                .get::<_, Option<Json<Window>>>("maintenance_window")
                .map(|Json(window)| window),
            freezes: concerning(freezes, &apps),
            created_at: row.get("created_at"),
            maintained_at: row.get("maintained_at"),
            planned: planned.map(|id| Outline {
                id: MaintenanceId(id),
                reason: row.get("reason"),
                reason_because: row.get("reason_because"),
                release_after: row.get("release_after"),
                required_by: row.get("required_by"),
                scheduled_for: row.get("scheduled_for"),
                schedule_note: row.get("schedule_note"),
                waits_for: row.get("waits_for"),
            }),
            undone: Undone::from_row(row),
            required: requirement(row),
            longest_run: longest_ms.map(|ms| SignedDuration::from_millis(ms as i64)),
        }
    }
}

impl Undone {
    fn from_row(row: &Row) -> Option<Self> {
        let scheduled_for = row.get::<_, Option<Timestamp>>("undone_for")?;
        let last_at = row.get::<_, Option<Timestamp>>("undone_at")?;
        let times = u32::try_from(row.get::<_, i64>("undone_times")).unwrap_or(u32::MAX);
        let in_window = (last_at >= scheduled_for).then(|| RolledBack {
            times,
            last_at,
            because: row.get("undone_because"),
            called_off_by: row.get("undone_by"),
        });
        Some(Self {
            reason: row.get("undone_reason"),
            scheduled_for,
            release_after: row.get("undone_release"),
            last_at,
            in_window,
        })
    }
}
