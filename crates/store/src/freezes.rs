//! Freezes as people have set them. Which of them stand in the way of what is judged in the domain.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::id::{AppId, DatabaseId};
use upkeep_domain::maintenance::Freeze;
use upkeep_domain::maintenance::freeze::Scope;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFreeze {
    pub id: i64,
    pub freeze: Freeze,
    /// Name of its app; none if it is of the fleet.
    pub app: Option<String>,
    pub added_by: String,
    pub created_at: Timestamp,
}

const WITH_APP: &str =
    "SELECT f.*, a.name AS app FROM f LEFT JOIN upkeep.apps a ON a.id = f.app_id ORDER BY f.id";

impl Store {
    /// All of them, in the order in which they were added.
    pub async fn freezes(&self) -> Result<Vec<KeptFreeze>, Error> {
        let list = format!("WITH f AS (SELECT * FROM upkeep.freezes) {WITH_APP}");
        let rows = self.client().await?.query(&list, &[]).await;
        let rows = rows.map_err(Error::query("list freezes"))?;
        rows.iter().map(KeptFreeze::from_row).collect()
    }

    /// Those of the fleet and of every app that has the database.
    pub async fn freezes_of(&self, database: DatabaseId) -> Result<Vec<Freeze>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT app_id FROM upkeep.attachments WHERE database_id = $1",
                &[&database.0],
            )
            .await
            .map_err(Error::query("list the apps that have a database"))?;
        let apps: Vec<AppId> = rows.iter().map(|row| AppId(row.get(0))).collect();
        let kept = self.freezes().await?;
        Ok(concerning(&kept, &apps))
    }

    /// Asked again with the same request id: the first one.
    pub async fn add_freeze(
        &self,
        freeze: &Freeze,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<KeptFreeze, Error> {
        let app = app_of(freeze);
        let add = format!(
            "WITH f AS (
                 INSERT INTO upkeep.freezes (app_id, period, zone, because, added_by, request_id)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id RETURNING *)
             {WITH_APP}"
        );
        let zone = freeze.zone.name();
        let client = self.client().await?;
        let row = client
            .query_one(
                &add,
                &[
                    &app,
                    &Json(freeze.period),
                    &zone,
                    &freeze.because,
                    &by,
                    &request_id,
                ],
            )
            .await
            .map_err(Error::query("add a freeze"))?;
        KeptFreeze::from_row(&row)
    }

    /// All of them or none; tells those that were not kept already, word for word. Nothing is added, and
    /// `None` told, if there would be more than `max` of all.
    pub async fn add_freezes(
        &self,
        freezes: &[Freeze],
        by: &str,
        max: usize,
    ) -> Result<Option<Vec<KeptFreeze>>, Error> {
        let add = format!(
            "WITH f AS (
                 INSERT INTO upkeep.freezes (app_id, period, zone, because, added_by)
                 SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (
                     SELECT FROM upkeep.freezes f
                     WHERE f.app_id IS NOT DISTINCT FROM $1 AND f.period = $2 AND f.zone = $3 AND f.because = $4)
                 RETURNING *)
             {WITH_APP}"
        );
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        // Two of the same at once would each find that nothing is kept yet.
        let lock = "LOCK TABLE upkeep.freezes IN SHARE ROW EXCLUSIVE MODE";
        let locked = transaction.execute(lock, &[]).await;
        locked.map_err(Error::query("lock freezes"))?;
        let mut added = Vec::new();
        for freeze in freezes {
            let app = app_of(freeze);
            let (period, zone) = (Json(freeze.period), freeze.zone.name());
            let row = transaction
                .query_opt(&add, &[&app, &period, &zone, &freeze.because, &by])
                .await
                .map_err(Error::query("add freezes"))?;
            added.extend(row.as_ref().map(KeptFreeze::from_row).transpose()?);
        }
        let count = "SELECT count(*) FROM upkeep.freezes";
        let row = transaction.query_one(count, &[]).await;
        let all: i64 = row.map_err(Error::query("count freezes"))?.get(0);
        if usize::try_from(all).is_ok_and(|all| all > max) && !added.is_empty() {
            return Ok(None);
        }
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit freezes"))?;
        Ok(Some(added))
    }

    /// As it was; nothing if there is none with that id.
    pub async fn remove_freeze(&self, id: i64) -> Result<Option<KeptFreeze>, Error> {
        let remove =
            format!("WITH f AS (DELETE FROM upkeep.freezes WHERE id = $1 RETURNING *) {WITH_APP}");
        let row = self.client().await?.query_opt(&remove, &[&id]).await;
        let row = row.map_err(Error::query("remove a freeze"))?;
        row.as_ref().map(KeptFreeze::from_row).transpose()
    }
}

fn app_of(freeze: &Freeze) -> Option<Uuid> {
    match freeze.scope {
        Scope::Fleet => None,
        Scope::App(app) => Some(app.0),
    }
}

pub(crate) fn concerning(kept: &[KeptFreeze], apps: &[AppId]) -> Vec<Freeze> {
    let freezes = kept.iter().map(|kept| &kept.freeze);
    freezes
        .filter(|freeze| freeze.concerns(apps))
        .cloned()
        .collect()
}

impl KeptFreeze {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let app = row.get::<_, Option<Uuid>>("app_id");
        let Json(period) = row
            .try_get("period")
            .map_err(Error::query("read the period of a freeze"))?;
        let zone: String = row.get("zone");
        Ok(Self {
            id: row.get("id"),
            freeze: Freeze {
                scope: app.map_or(Scope::Fleet, |app| Scope::App(AppId(app))),
                period,
                zone: zone.parse().map_err(|_| Error::UnknownZone { zone })?,
                because: row.get("because"),
            },
            app: row.get("app"),
            added_by: row.get("added_by"),
            created_at: row.get("created_at"),
        })
    }
}
