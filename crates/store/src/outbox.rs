//! The outbox: what there is to tell, written in the transaction in which it happened. It is addressed
//! afterwards: its words are made, and a delivery for everybody who is told.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::id::{AppId, DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Window;
use upkeep_domain::notice::{About, Kind, Letter, Subject};
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

/// In SQL: what is told of a row `m` of the maintenances, whatever happened to it. [`About`] reads it.
macro_rules! about {
    () => {
        "pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
             'maintenance', m.id, 'method', m.method, 'method_because', m.method_because, 'reason', m.reason,
             'reason_because', m.reason_because, 'required_by', m.required_by, 'note', m.schedule_note,
             'scheduled_for', m.scheduled_for, 'previously_scheduled_for', m.previously_scheduled_for,
             'release_before', m.release_before, 'release_after', m.release_after, 'begun_by', m.begun_by,
             'sentence', m.sentence, 'felt', m.felt))"
    };
}
pub(crate) use about;

/// What happened and has not been addressed, with the database as it is now.
#[derive(Clone, Debug)]
pub struct Unaddressed {
    pub id: i64,
    pub at: Timestamp,
    /// None: of a newer program.
    pub kind: Option<Kind>,
    /// None: the database is gone.
    pub database: Option<Concerned>,
    pub about: Value,
}

/// Whose people are told.
#[derive(Clone, Debug)]
pub struct Concerned {
    pub id: DatabaseId,
    pub name: String,
    pub plan: String,
    pub chosen_window: Option<Window>,
    /// The oldest first.
    pub attachments: Vec<Attached>,
}

#[derive(Clone, Debug)]
pub struct Attached {
    pub app: AppId,
    pub app_name: String,
    pub name: String,
}

/// A planned maintenance, and when people were last told of it.
#[derive(Clone, Debug)]
pub struct LastTold {
    pub maintenance: MaintenanceId,
    pub scheduled_for: Timestamp,
    pub told_at: Timestamp,
}

const UNADDRESSED: &str = "
    SELECT o.id, o.created_at, o.kind, o.body, d.id AS database_id, d.name, d.plan, d.maintenance_window, t.apps,
           t.app_names, t.names
    FROM upkeep.outbox o
    LEFT JOIN upkeep.databases d ON d.id = o.database_id
    LEFT JOIN LATERAL (
        SELECT array_agg(t.app_id ORDER BY t.created_at, t.id) AS apps,
               array_agg(a.name ORDER BY t.created_at, t.id) AS app_names,
               array_agg(t.name ORDER BY t.created_at, t.id) AS names
        FROM upkeep.attachments t JOIN upkeep.apps a ON a.id = t.app_id WHERE t.database_id = d.id) t ON true
    WHERE o.addressed_at IS NULL ORDER BY o.kind = ANY ($2), o.id LIMIT $1";

/// Whoever comes second finds it addressed, and adds nothing.
const ADDRESS: &str = "
    WITH o AS (
        UPDATE upkeep.outbox SET addressed_at = now(), letter = $2, database_name = $5
        WHERE id = $1 AND addressed_at IS NULL RETURNING id)
    INSERT INTO upkeep.deliveries (notice_id, address, recipient_id)
    SELECT o.id, t.address, t.recipient FROM o, unnest($3::text[], $4::bigint[]) AS t (address, recipient)
    ON CONFLICT (notice_id, address) DO NOTHING";

const LAST_TOLD: &str = "
    SELECT m.id, m.scheduled_for,
           -- What was told long ago is forgotten by now.
           coalesce((SELECT max(o.created_at) FROM upkeep.outbox o WHERE o.maintenance_id = m.id), m.created_at) AS told_at
    FROM upkeep.maintenances m
    WHERE (m.started_at IS NULL OR m.status IN ('preparing', 'ready')) AND m.scheduled_for BETWEEN now() AND now() + $1::bigint * interval '1 second'";

const REMIND: &str = concat!(
    "INSERT INTO upkeep.outbox (database_id, kind, body) SELECT m.database_id, $3, ",
    about!(),
    " FROM upkeep.maintenances m
      WHERE m.id = $1 AND NOT EXISTS (
          SELECT FROM upkeep.outbox o WHERE o.maintenance_id = m.id AND o.created_at > $2)"
);

impl Store {
    /// The oldest, at most so many; what is about things to come last.
    pub async fn unaddressed(&self, at_most: u32) -> Result<Vec<Unaddressed>, Error> {
        let limit = i64::from(at_most);
        let client = self.client().await?;
        let rows = client
            .query(UNADDRESSED, &[&limit, &Kind::of_what_is_ahead()])
            .await;
        let rows = rows.map_err(Error::query("look for what there is to tell"))?;
        Ok(rows.iter().map(Unaddressed::from_row).collect())
    }

    /// In the words of the letter about the database of that name; to nobody, if there are no addresses. Each has
    /// the id of its recipient, unless it is an owner.
    pub async fn address(
        &self,
        notice: i64,
        words: Option<(&Letter, &str)>,
        to: &[(String, Option<i64>)],
    ) -> Result<(), Error> {
        let (letter, database) = words.unzip();
        let (addresses, recipients): (Vec<_>, Vec<_>) = to.iter().cloned().unzip();
        let client = self.client().await?;
        client
            .execute(
                ADDRESS,
                &[
                    &notice,
                    &letter.map(Json),
                    &addresses,
                    &recipients,
                    &database,
                ],
            )
            .await
            .map_err(Error::query("address a notice"))?;
        Ok(())
    }

    /// What is planned for within that time from now.
    pub async fn last_told(&self, within: jiff::SignedDuration) -> Result<Vec<LastTold>, Error> {
        let client = self.client().await?;
        let rows = client.query(LAST_TOLD, &[&within.as_secs()]).await;
        let rows = rows.map_err(Error::query("look whom to remind"))?;
        let told = |row: &Row| LastTold {
            maintenance: MaintenanceId(row.get("id")),
            scheduled_for: row.get("scheduled_for"),
            told_at: row.get("told_at"),
        };
        Ok(rows.iter().map(told).collect())
    }

    /// Unless people were told something of it meanwhile, or it is not planned for then any more.
    pub async fn remind(&self, of: &LastTold) -> Result<(), Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        let planned = transaction
            .query_opt(
                "SELECT FROM upkeep.maintenances WHERE id = $1 AND scheduled_for = $2
                   AND (started_at IS NULL OR status IN ('preparing', 'ready')) FOR UPDATE",
                &[&of.maintenance.0, &of.scheduled_for],
            )
            .await
            .map_err(Error::query("look for a planned maintenance"))?;
        if planned.is_none() {
            return Ok(());
        }
        let kind = Kind::Reminder.as_str();
        transaction
            .execute(REMIND, &[&of.maintenance.0, &of.told_at, &kind])
            .await
            .map_err(Error::query("remind people of a maintenance"))?;
        let committed = transaction.commit().await;
        committed.map_err(Error::query("commit a reminder"))
    }
}

impl Unaddressed {
    fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            at: row.get("created_at"),
            kind: Kind::named(row.get("kind")),
            database: Concerned::from_row(row),
            about: row.get("body"),
        }
    }

    /// What its words are made of.
    ///
    /// # Errors
    /// When a newer program has written it.
    pub fn understood(&self) -> Result<About, Error> {
        serde_json::from_value(self.about.clone()).map_err(|source| Error::Decode {
            what: "outbox.body",
            source,
        })
    }
}

impl Concerned {
    fn from_row(row: &Row) -> Option<Self> {
        let id = row.get::<_, Option<Uuid>>("database_id")?;
        let list = |column| {
            row.get::<_, Option<Vec<String>>>(column)
                .unwrap_or_default()
        };
        let apps: Vec<Uuid> = row.get::<_, Option<_>>("apps").unwrap_or_default();
        let attachments = apps.into_iter().zip(list("app_names")).zip(list("names"));
        Some(Self {
            id: DatabaseId(id),
            name: row.get("name"),
            plan: row.get("plan"),
            chosen_window: row
                .get::<_, Option<Json<Window>>>("maintenance_window")
                .map(|Json(window)| window),
            attachments: attachments
                .map(|((app, app_name), name)| Attached {
                    app: AppId(app),
                    app_name,
                    name,
                })
                .collect(),
        })
    }

    pub fn apps(&self) -> Vec<AppId> {
        self.attachments
            .iter()
            .map(|attached| attached.app)
            .collect()
    }

    /// As people know it, with the window that it has.
    pub fn subject(&self, window: Option<Window>) -> Subject {
        let attached = |attached: &Attached| (attached.app_name.clone(), attached.name.clone());
        Subject {
            name: self.name.clone(),
            plan: self.plan.clone(),
            window,
            attachments: self.attachments.iter().map(attached).collect(),
        }
    }
}
