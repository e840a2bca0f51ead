//! Deliveries: notices on their way to their recipients, and what became of them.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::notice::delivery::State;
use upkeep_domain::notice::{Delivery, Letter, Recipient};

use crate::statements::Ask as _;
use crate::{Error, Store};

/// To be sent now, by whoever has taken it.
#[derive(Clone, Debug)]
pub struct ToSend {
    pub id: i64,
    pub delivery: Delivery,
    /// With this one.
    pub tries: u32,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Sent,
    Later { pause: Duration, trouble: String },
    GivenUp { trouble: String },
}

/// A notice as people look at it.
#[derive(Clone, Debug)]
pub struct KeptNotice {
    pub id: i64,
    pub created_at: Timestamp,
    pub kind: String,
    /// Its name then; none until it is addressed, or if it was gone.
    pub database: Option<String>,
    /// None until it is addressed, or if there is nothing to say.
    pub letter: Option<Letter>,
    pub deliveries: Vec<KeptDelivery>,
}

#[derive(Clone, Debug)]
pub struct KeptDelivery {
    pub address: String,
    pub state: State,
    pub tries: u32,
    pub next_try_at: Timestamp,
    pub trouble: Option<String>,
    pub sent_at: Option<Timestamp>,
}

/// Which notices are looked at.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    pub id: Option<i64>,
    /// Of databases that an app of that name has.
    pub app: Option<&'a str>,
    /// That have a delivery in that state.
    pub state: Option<State>,
    pub at_most: u32,
}

const TAKE: &str = "
    WITH due AS (
        SELECT id FROM upkeep.deliveries WHERE state = 'pending' AND next_try_at <= now()
        ORDER BY next_try_at, id LIMIT $2 FOR UPDATE SKIP LOCKED),
    taken AS (
        UPDATE upkeep.deliveries d
        SET tries = d.tries + 1, next_try_at = now() + $1::bigint * interval '1 millisecond'
        FROM due WHERE d.id = due.id RETURNING d.*)
    SELECT t.id, t.notice_id, t.address, t.tries, o.created_at, o.kind, o.body, o.database_name, o.letter, r.secret
    FROM taken t
    JOIN upkeep.outbox o ON o.id = t.notice_id
    LEFT JOIN upkeep.recipients r ON r.id = t.recipient_id
    ORDER BY t.id";

const TRIED: &str = "
    UPDATE upkeep.deliveries
    SET state = $3, trouble = $4, sent_at = CASE WHEN $3 = 'sent' THEN now() END,
        next_try_at = now() + $5::bigint * interval '1 millisecond'
    WHERE id = $1 AND tries = $2 AND state = 'pending'";

const NOTICES: &str = "
    SELECT o.id, o.created_at, o.kind, o.database_name, o.letter FROM upkeep.outbox o
    WHERE ($1::bigint IS NULL OR o.id = $1)
      AND ($2::text IS NULL OR EXISTS (
          SELECT FROM upkeep.attachments t JOIN upkeep.apps a ON a.id = t.app_id
          WHERE t.database_id = o.database_id AND a.name = $2))
      AND ($3::text IS NULL OR EXISTS (
          SELECT FROM upkeep.deliveries d WHERE d.notice_id = o.id AND d.state = $3))
    ORDER BY o.id DESC LIMIT $4";

const DELIVERIES: &str = "SELECT * FROM upkeep.deliveries WHERE notice_id = ANY ($1) ORDER BY id";

impl Store {
    /// Takes what is due, at most so many; nobody else takes it for that long.
    pub async fn take_deliveries(
        &self,
        for_long: Duration,
        at_most: u32,
    ) -> Result<Vec<ToSend>, Error> {
        let (lease, limit) = (for_long.as_millis() as i64, i64::from(at_most));
        let rows = self.client().await?.query(TAKE, &[&lease, &limit]).await;
        let rows = rows.map_err(Error::query("take notices to be sent"))?;
        Ok(rows.iter().filter_map(ToSend::from_row).collect())
    }

    /// Nothing is written if somebody else has taken it since.
    pub async fn delivery_tried(&self, sent: &ToSend, how: &Tried) -> Result<(), Error> {
        let (state, trouble, pause) = match how {
            Tried::Sent => (State::Sent, None, Duration::ZERO),
            Tried::Later { pause, trouble } => (State::Pending, Some(trouble), *pause),
            Tried::GivenUp { trouble } => (State::Failed, Some(trouble), Duration::ZERO),
        };
        let state = state.as_str();
        let (tries, pause_ms) = (sent.tries as i32, pause.as_millis() as i64);
        let client = self.client().await?;
        client
            .execute(TRIED, &[&sent.id, &tries, &state, &trouble, &pause_ms])
            .await
            .map_err(Error::query("record what became of a notice"))?;
        Ok(())
    }

    /// The newest first.
    pub async fn notices(&self, wanted: &Wanted<'_>) -> Result<Vec<KeptNotice>, Error> {
        let (limit, state) = (i64::from(wanted.at_most), wanted.state.map(State::as_str));
        let client = self.client().await?;
        let rows = client
            .query(NOTICES, &[&wanted.id, &wanted.app, &state, &limit])
            .await;
        let rows = rows.map_err(Error::query("list notices"))?;
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
        let deliveries = client.query(DELIVERIES, &[&ids]).await;
        let deliveries = deliveries.map_err(Error::query("list deliveries"))?;
        let notice = |row| KeptNotice::from_rows(row, &deliveries);
        Ok(rows.iter().map(notice).collect())
    }

    /// Whatever of the notice has not been sent is tried now; says how many deliveries these are.
    pub async fn retry_notice(&self, notice: i64) -> Result<u64, Error> {
        let client = self.client().await?;
        let retried = client
            .execute(
                "UPDATE upkeep.deliveries SET state = 'pending', next_try_at = now()
                 WHERE notice_id = $1 AND state <> 'sent'",
                &[&notice],
            )
            .await;
        retried.map_err(Error::query("send a notice again"))
    }
}

impl ToSend {
    fn from_row(row: &Row) -> Option<Self> {
        let Json(letter) = row.get::<_, Option<Json<Letter>>>("letter")?;
        Some(Self {
            id: row.get("id"),
            delivery: Delivery {
                notice: row.get("notice_id"),
                told_at: row.get("created_at"),
                action: row.get("kind"),
                database: row.get::<_, Option<_>>("database_name").unwrap_or_default(),
                letter,
                about: row.get("body"),
                to: Recipient::of(row.get("address"), row.get("secret")),
            },
            tries: row.get::<_, i32>("tries").cast_unsigned(),
        })
    }
}

impl KeptNotice {
    fn from_rows(row: &Row, deliveries: &[Row]) -> Self {
        let id: i64 = row.get("id");
        let own = deliveries
            .iter()
            .filter(|row| row.get::<_, i64>("notice_id") == id);
        Self {
            id,
            created_at: row.get("created_at"),
            kind: row.get("kind"),
            database: row.get("database_name"),
            letter: row
                .get::<_, Option<Json<Letter>>>("letter")
                .map(|Json(letter)| letter),
            deliveries: own.map(KeptDelivery::from_row).collect(),
        }
    }
}

impl KeptDelivery {
    fn from_row(row: &Row) -> Self {
        Self {
            address: row.get("address"),
            // The table takes no others.
            state: State::named(row.get("state")).unwrap_or(State::Failed),
            tries: row.get::<_, i32>("tries").cast_unsigned(),
            next_try_at: row.get("next_try_at"),
            trouble: row.get("trouble"),
            sent_at: row.get("sent_at"),
        }
    }
}
