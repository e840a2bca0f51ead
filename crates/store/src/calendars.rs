//! Calendars that others subscribe to, and what is in them.

use jiff::Timestamp;
use tokio_postgres::Row;
use upkeep_domain::id::AppId;
use uuid::Uuid;

use crate::maintenances::Maintenance;
use crate::statements::Ask as _;
use crate::{Error, Store};

/// Those nearest to now; a calendar that has more is not looked at.
const ENTRIES_MAX: i64 = 2_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCalendar {
    pub id: i64,
    /// None if it is of the fleet.
    pub app: Option<AppId>,
    pub app_name: Option<String>,
    pub added_by: String,
    pub created_at: Timestamp,
}

const WITH_APP: &str =
    "SELECT c.*, a.name AS app FROM c LEFT JOIN upkeep.apps a ON a.id = c.app_id ORDER BY c.id";

/// Of apps and of the fleet: what is planned, and what was done lately.
const ENTRIES: &str = "
    SELECT m.* FROM upkeep.maintenances m JOIN upkeep.databases d ON d.id = m.database_id
    WHERE d.state = 'provisioned'
      AND (m.started_at IS NULL AND m.scheduled_for IS NOT NULL OR m.started_at > now() - interval '90 days')
      AND ($1::uuid IS NULL OR EXISTS (
          SELECT FROM upkeep.attachments t WHERE t.database_id = d.id AND t.app_id = $1))
    ORDER BY abs(extract(epoch FROM coalesce(m.scheduled_for, m.started_at) - now())), m.id LIMIT $2";

impl Store {
    /// In the order in which they were added.
    pub async fn calendars(&self) -> Result<Vec<KeptCalendar>, Error> {
        let list = format!("WITH c AS (SELECT * FROM upkeep.calendars) {WITH_APP}");
        let rows = self.client().await?.query(&list, &[]).await;
        let rows = rows.map_err(Error::query("list calendars"))?;
        Ok(rows.iter().map(KeptCalendar::from_row).collect())
    }

    /// Asked again with the same request id: the first one, by its new token.
    pub async fn add_calendar(
        &self,
        app: Option<AppId>,
        token_sha256: &[u8; 32],
        by: &str,
        request_id: &str,
    ) -> Result<KeptCalendar, Error> {
        let add = format!(
            "WITH c AS (
                 INSERT INTO upkeep.calendars (app_id, token_sha256, added_by, request_id) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (request_id) DO UPDATE SET token_sha256 = excluded.token_sha256 RETURNING *)
             {WITH_APP}"
        );
        let (app, token) = (app.map(|app| app.0), token_sha256.as_slice());
        let client = self.client().await?;
        let row = client
            .query_one(&add, &[&app, &token, &by, &request_id])
            .await;
        let row = row.map_err(Error::query("add a calendar"))?;
        Ok(KeptCalendar::from_row(&row))
    }

    /// As it was; nothing if there is none with that id.
    pub async fn remove_calendar(&self, id: i64) -> Result<Option<KeptCalendar>, Error> {
        let remove = format!(
            "WITH c AS (DELETE FROM upkeep.calendars WHERE id = $1 RETURNING *) {WITH_APP}"
        );
        let row = self.client().await?.query_opt(&remove, &[&id]).await;
        let row = row.map_err(Error::query("remove a calendar"))?;
        Ok(row.as_ref().map(KeptCalendar::from_row))
    }

    /// Of whoever has that token.
    pub async fn calendar_by_token(
        &self,
        token_sha256: &[u8; 32],
    ) -> Result<Option<KeptCalendar>, Error> {
        let find = format!(
            "WITH c AS (SELECT * FROM upkeep.calendars WHERE token_sha256 = $1) {WITH_APP}"
        );
        let token = token_sha256.as_slice();
        let row = self.client().await?.query_opt(&find, &[&token]).await;
        let row = row.map_err(Error::query("find a calendar"))?;
        Ok(row.as_ref().map(KeptCalendar::from_row))
    }

    /// Maintenances of the databases that an app has, or of all.
    pub async fn calendar_entries(&self, app: Option<AppId>) -> Result<Vec<Maintenance>, Error> {
        let app = app.map(|app| app.0);
        let client = self.client().await?;
        let rows = client.query(ENTRIES, &[&app, &ENTRIES_MAX]).await;
        let rows = rows.map_err(Error::query("list what is in a calendar"))?;
        Ok(rows.iter().map(Maintenance::from_row).collect())
    }
}

impl KeptCalendar {
    fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            app: row.get::<_, Option<Uuid>>("app_id").map(AppId),
            app_name: row.get("app"),
            added_by: row.get("added_by"),
            created_at: row.get("created_at"),
        }
    }
}
