//! Events: what happened, step by step. The CLI's `wait`, the history and metrics read these rows.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use upkeep_domain::id::{DatabaseId, WorkflowId};

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Started,
    /// What it waits for, with progress in the detail.
    Waiting,
    Done,
    /// An earlier step has to be done anew.
    Again,
    Failed,
    Ended,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Again => "again",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Event {
    pub id: i64,
    pub workflow_id: WorkflowId,
    pub procedure: String,
    pub at: Timestamp,
    pub step: String,
    pub kind: String,
    pub sentence: String,
    pub detail: Value,
}

impl Event {
    fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            workflow_id: WorkflowId(row.get("workflow_id")),
            procedure: row.get("procedure"),
            at: row.get("at"),
            step: row.get("step"),
            kind: row.get("kind"),
            sentence: row.get("sentence"),
            detail: row.get("detail"),
        }
    }
}

impl Store {
    /// Events of a database behind `after`, oldest first.
    pub async fn events(
        &self,
        database: DatabaseId,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Event>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT e.*, w.procedure FROM upkeep.events e JOIN upkeep.workflows w ON w.id = e.workflow_id
                 WHERE e.database_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3",
                &[&database.0, &after, &i64::from(limit)],
            )
            .await
            .map_err(Error::query("list events"))?;
        Ok(rows.iter().map(Event::from_row).collect())
    }

    /// The newest event of a database: where the present step is, and what it waits for.
    pub async fn last_event(&self, database: DatabaseId) -> Result<Option<Event>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT e.*, w.procedure FROM upkeep.events e JOIN upkeep.workflows w ON w.id = e.workflow_id
                 WHERE e.database_id = $1 ORDER BY e.id DESC LIMIT 1",
                &[&database.0],
            )
            .await
            .map_err(Error::query("read the newest event"))?;
        Ok(row.as_ref().map(Event::from_row))
    }

    /// Where the events of the newest run begin: the id before its first one.
    pub async fn events_before_last_run(&self, database: DatabaseId) -> Result<i64, Error> {
        let row = self
            .client()
            .await?
            .query_one(
                "SELECT coalesce(min(e.id) - 1, 0) FROM upkeep.events e WHERE e.workflow_id =
                     (SELECT id FROM upkeep.workflows WHERE database_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1)",
                &[&database.0],
            )
            .await
            .map_err(Error::query("find the newest run"))?;
        Ok(row.get(0))
    }
}
