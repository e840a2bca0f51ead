//! Databases at which nothing is being done, with what planning has to know of each: what is planned, what
//! became of it before, and how long its runs take.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::id::{AppId, DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Window;
use upkeep_domain::maintenance::standing::{Longest, Outline, Standing, Undone, Waiting};
use upkeep_domain::maintenance::turn::RolledBack;
use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::{PREPARING, Step};
use uuid::Uuid;

use crate::freezes::{KeptFreeze, concerning};
use crate::requirements::requirement;
use crate::statements::Ask as _;
use crate::{Error, Store};

/// So many of its earlier runs tell how long one takes.
const RUNS_LOOKED_AT: i64 = 5;

const STANDINGS: &str = "
    SELECT d.id, d.plan, d.follows IS NOT NULL AS is_follower, d.maintenance_window, d.created_at, i.release,
           ARRAY(SELECT t.app_id FROM upkeep.attachments t WHERE t.database_id = d.id) AS apps,
           coalesce(done.at, d.created_at) AS maintained_at,
           p.id AS planned_id, p.method, p.reason, p.reason_because, p.release_after, p.required_by, p.scheduled_for, p.schedule_note,
           p.sentence AS waits_for, r.preparing_ms, r.run_ms,
           u.reason AS undone_reason, u.scheduled_for AS undone_for, u.release_after AS undone_release, u.completed_at AS undone_at,
           u.sentence AS undone_because, u.cancelled_by AS undone_by, u.times AS undone_times, u.in_window,
           q.because, q.emergency, q.required_by AS requirer, q.created_at AS required_since,
           w.waiting_settings, w.waiting_since
    FROM upkeep.databases d
    JOIN upkeep.instances i ON i.id = d.primary_instance
    LEFT JOIN LATERAL (
        SELECT max(m.completed_at) AS at FROM upkeep.maintenances m
        WHERE m.database_id = d.id AND m.outcome = 'succeeded') done ON true
    LEFT JOIN upkeep.instances w ON w.id = i.id AND w.waiting_since IS NOT NULL AND d.follows IS NULL
        -- Seen before its restart they wait no more.
        AND (w.waiting_seen_at > done.at OR done.at IS NULL)
    LEFT JOIN upkeep.maintenances p ON p.database_id = d.id AND p.started_at IS NULL
    LEFT JOIN LATERAL (
        SELECT max(preparing_ms) AS preparing_ms, max(run_ms) AS run_ms FROM (
            SELECT s.* FROM upkeep.maintenances m, LATERAL (
                SELECT sum(value::double precision) FILTER (WHERE key = ANY ($3)) AS preparing_ms,
                       sum(value::double precision) FILTER (WHERE key <> ALL ($3) AND key <> $4) AS run_ms
                FROM pg_catalog.jsonb_each_text(m.steps_ms)) s
            WHERE m.database_id = d.id AND m.outcome = 'succeeded' AND m.method = coalesce(p.method, m.method)
            ORDER BY m.completed_at DESC LIMIT $2) runs) r ON true
    LEFT JOIN LATERAL (
        SELECT m.outcome, m.reason, m.scheduled_for, m.release_after, m.completed_at, m.sentence,
               m.completed_at >= m.scheduled_for OR m.go_on_until IS NOT NULL AS in_window,
               (SELECT w.cancelled_by FROM upkeep.workflows w WHERE w.maintenance_id = m.id
                ORDER BY w.ticket DESC LIMIT 1),
               (SELECT count(*) FROM upkeep.maintenances f
                WHERE f.database_id = d.id AND f.outcome = 'rolled_back' AND f.scheduled_for = m.scheduled_for
                  AND (f.completed_at >= f.scheduled_for OR f.go_on_until IS NOT NULL)) AS times
        FROM upkeep.maintenances m
        WHERE m.database_id = d.id AND m.started_at IS NOT NULL AND m.scheduled_for IS NOT NULL
        ORDER BY m.started_at DESC LIMIT 1) u ON u.outcome = 'rolled_back'
    LEFT JOIN upkeep.requirements q ON q.database_id = d.id AND NOT EXISTS (
        SELECT FROM upkeep.maintenances m
        WHERE m.database_id = d.id AND m.outcome = 'succeeded' AND m.started_at >= q.created_at)
    WHERE d.state = 'provisioned' AND (NOT $1 OR p.scheduled_for <= now() + $5::bigint * interval '1 millisecond') AND NOT EXISTS (
        SELECT FROM upkeep.workflows w
        WHERE w.database_id = d.id AND (w.ended_as IS NULL OR w.ended_as = 'stuck'))
    ORDER BY CASE WHEN $1 THEN p.required_by END, CASE WHEN $1 THEN p.scheduled_for END, d.created_at, d.id";

impl Store {
    /// Every provisioned database at which nothing is being done.
    pub async fn standings(&self) -> Result<Vec<Standing>, Error> {
        self.read_standings(false).await
    }

    /// Those of them whose planned time has come or is so near that something may be prepared for it, the one that is required first going first.
    pub async fn standings_to_begin(&self) -> Result<Vec<Standing>, Error> {
        self.read_standings(true).await
    }

    async fn read_standings(&self, time_has_come: bool) -> Result<Vec<Standing>, Error> {
        let freezes = self.freezes().await?;
        let preparing = PREPARING.map(|step| step.spec().name);
        // Nothing is begun longer before its window than it may wait for it.
        let wait = Step::AwaitWindow.spec();
        let client = self.client().await?;
        let rows = client
            .query(
                STANDINGS,
                &[
                    &time_has_come,
                    &RUNS_LOOKED_AT,
                    &preparing.as_slice(),
                    &wait.name,
                    &(wait.deadline.as_millis() as i64),
                ],
            )
            .await;
        let rows = rows.map_err(Error::query("list databases for planning"))?;
        Ok(rows.iter().map(|row| standing(row, &freezes)).collect())
    }
}

fn standing(row: &Row, freezes: &[KeptFreeze]) -> Standing {
    let apps: Vec<Uuid> = row.get("apps");
    let apps: Vec<AppId> = apps.into_iter().map(AppId).collect();
    let longest = |column| {
        let ms = row.get::<_, Option<f64>>(column);
        ms.map(|ms| SignedDuration::from_millis(ms as i64))
    };
    Standing {
        database: DatabaseId(row.get("id")),
        plan: row.get("plan"),
        is_follower: row.get("is_follower"),
        release: row.get("release"),
        chosen_window: row
            .get::<_, Option<Json<Window>>>("maintenance_window")
            .map(|Json(window)| window),
        freezes: concerning(freezes, &apps),
        created_at: row.get("created_at"),
        maintained_at: row.get("maintained_at"),
        planned: outline(row),
        undone: undone(row),
        required: requirement(row),
        waiting: waiting(row),
        longest: Longest {
            preparing: longest("preparing_ms"),
            run: longest("run_ms"),
        },
    }
}

fn outline(row: &Row) -> Option<Outline> {
    let id = row.get::<_, Option<Uuid>>("planned_id")?;
    Some(Outline {
        id: MaintenanceId(id),
        method: row.get("method"),
        reason: row.get("reason"),
        reason_because: row.get("reason_because"),
        release_after: row.get("release_after"),
        required_by: row.get("required_by"),
        scheduled_for: row.get("scheduled_for"),
        schedule_note: row.get("schedule_note"),
        waits_for: row.get("waits_for"),
    })
}

fn waiting(row: &Row) -> Option<Waiting> {
    Some(Waiting {
        names: row.get::<_, Option<Vec<String>>>("waiting_settings")?,
        since: row.get("waiting_since"),
    })
}

fn undone(row: &Row) -> Option<Undone> {
    let scheduled_for = row.get::<_, Option<Timestamp>>("undone_for")?;
    let last_at = row.get::<_, Option<Timestamp>>("undone_at")?;
    let times = u32::try_from(row.get::<_, i64>("undone_times")).unwrap_or(u32::MAX);
    let in_window = row.get::<_, bool>("in_window").then(|| RolledBack {
        times,
        last_at,
        because: row.get("undone_because"),
        called_off_by: row.get("undone_by"),
    });
    Some(Undone {
        reason: row.get("undone_reason"),
        scheduled_for,
        release_after: row.get("undone_release"),
        last_at,
        in_window,
    })
}
