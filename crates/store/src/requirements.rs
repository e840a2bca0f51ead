//! Maintenances that people require: one per database, until it is met or taken back.

use tokio_postgres::Row;
use upkeep_domain::id::DatabaseId;
use upkeep_domain::maintenance::Requirement;

use crate::statements::Ask as _;
use crate::{Error, Store};

const REQUIRE: &str = "
    INSERT INTO upkeep.requirements AS r (database_id, because, emergency, required_by, request_id)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (database_id) DO UPDATE
        SET because = excluded.because, emergency = excluded.emergency, required_by = excluded.required_by,
            request_id = excluded.request_id,
            created_at = CASE WHEN r.request_id = excluded.request_id THEN r.created_at ELSE now() END
    RETURNING because, emergency, required_by AS requirer, created_at AS required_since";

const REQUIRE_NO_MORE: &str = "
    DELETE FROM upkeep.requirements q WHERE q.database_id = $1 AND NOT EXISTS (
        SELECT FROM upkeep.maintenances m
        WHERE m.database_id = q.database_id AND m.outcome = 'succeeded' AND m.started_at >= q.created_at)
    RETURNING because, emergency, required_by AS requirer, created_at AS required_since";

impl Store {
    /// In place of what was required of it before. Asked again with the same request id it is no new one, so that
    /// a run which meets it is not asked for twice.
    pub async fn require(
        &self,
        database: DatabaseId,
        because: &str,
        emergency: bool,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<Requirement, Error> {
        let client = self.client().await?;
        let row = client
            .query_one(
                REQUIRE,
                &[&database.0, &because, &emergency, &by, &request_id],
            )
            .await
            .map_err(Error::query("require a maintenance"))?;
        requirement(&row).ok_or(Error::NotAsSeen)
    }

    /// What was required; none if nothing was, or it has been met.
    pub async fn require_no_more(
        &self,
        database: DatabaseId,
    ) -> Result<Option<Requirement>, Error> {
        let client = self.client().await?;
        let row = client.query_opt(REQUIRE_NO_MORE, &[&database.0]).await;
        let row = row.map_err(Error::query("require no maintenance"))?;
        Ok(row.as_ref().and_then(requirement))
    }
}

/// Of a row that may have none.
pub(crate) fn requirement(row: &Row) -> Option<Requirement> {
    Some(Requirement {
        since: row.get::<_, Option<_>>("required_since")?,
        by: row.get("requirer"),
        because: row.get("because"),
        emergency: row.get("emergency"),
    })
}
