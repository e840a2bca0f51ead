//! Instances: the servers behind databases, and what was last seen of them.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::Observation;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceRole {
    Primary,
    /// Has the clients of a database that follows another one.
    Follower,
    /// Being built to take over.
    Replacement,
    /// Follows the primary and stands ready to take its place.
    Standby,
    /// Taken over from; kept for the grace period.
    Retired,
}

impl InstanceRole {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Follower => "follower",
            Self::Replacement => "replacement",
            Self::Standby => "standby",
            Self::Retired => "retired",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub id: InstanceId,
    pub database_id: DatabaseId,
    pub host_id: HostId,
    pub release: String,
    pub role: InstanceRole,
    /// Whom a standby or a follower streams from.
    pub follows: Option<InstanceId>,
    pub observed: Option<Observation>,
    pub observed_at: Option<Timestamp>,
    pub retire_at: Option<Timestamp>,
}

impl Instance {
    fn from_row(row: &Row) -> Self {
        let role: &str = row.get("role");
        Self {
            id: InstanceId(row.get("id")),
            database_id: DatabaseId(row.get("database_id")),
            host_id: HostId(row.get("host_id")),
            release: row.get("release"),
            role: [
                InstanceRole::Primary,
                InstanceRole::Follower,
                InstanceRole::Replacement,
                InstanceRole::Standby,
                InstanceRole::Retired,
            ]
            .into_iter()
            .find(|known| known.as_str() == role)
            .expect("the table's check allows no other role"),
            follows: row.get::<_, Option<Uuid>>("follows").map(InstanceId),
            observed: row
                .get::<_, Option<Json<Observation>>>("observed")
                .map(|Json(seen)| seen),
            observed_at: row.get("observed_at"),
            retire_at: row.get("retire_at"),
        }
    }
}

impl Store {
    pub async fn instance(&self, id: InstanceId) -> Result<Option<Instance>, Error> {
        let row = self
            .client()
            .await?
            .query_opt("SELECT * FROM upkeep.instances WHERE id = $1", &[&id.0])
            .await
            .map_err(Error::query("read an instance"))?;
        Ok(row.as_ref().map(Instance::from_row))
    }

    pub async fn instances(&self, database: DatabaseId) -> Result<Vec<Instance>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT * FROM upkeep.instances WHERE database_id = $1 ORDER BY created_at",
                &[&database.0],
            )
            .await
            .map_err(Error::query("list instances"))?;
        Ok(rows.iter().map(Instance::from_row).collect())
    }

    /// Releases that an instance still runs on.
    pub async fn releases_in_use(&self) -> Result<Vec<String>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT DISTINCT release FROM upkeep.instances ORDER BY 1",
                &[],
            )
            .await
            .map_err(Error::query("list releases in use"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    pub async fn record_observation(&self, seen: &Observation) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "UPDATE upkeep.instances SET observed = $2, observed_at = now(),
                        silent_since = CASE WHEN $3 THEN NULL ELSE coalesce(silent_since, now()) END,
                        waiting_settings = coalesce($4, waiting_settings),
                        waiting_since = CASE WHEN cardinality(coalesce($4, waiting_settings)) > 0
                                             THEN coalesce(waiting_since, now()) END,
                        waiting_seen_at = CASE WHEN $4 IS NULL THEN waiting_seen_at ELSE now() END
                 WHERE id = $1",
                &[
                    &seen.instance.0,
                    &Json(seen),
                    &(seen.streaming == Some(true)),
                    &seen.waiting_settings,
                ],
            )
            .await
            .map_err(Error::query("record an observation"))?;
        Ok(())
    }

    /// The standbys of a database, and how long each has not been seen to stream.
    pub async fn standbys(
        &self,
        database: DatabaseId,
    ) -> Result<Vec<(Instance, Option<Duration>)>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT *, (extract(epoch FROM now() - silent_since) * 1000)::bigint AS silent_ms
                 FROM upkeep.instances WHERE database_id = $1 AND role = 'standby' ORDER BY created_at",
                &[&database.0],
            )
            .await
            .map_err(Error::query("list standbys"))?;
        let silent = |row: &Row| {
            let ms: Option<i64> = row.get("silent_ms");
            ms.map(|ms| Duration::from_millis(ms.max(0) as u64))
        };
        Ok(rows
            .iter()
            .map(|row| (Instance::from_row(row), silent(row)))
            .collect())
    }

    /// Retired instances whose grace period is over.
    pub async fn instances_to_remove(&self) -> Result<Vec<Instance>, Error> {
        let rows = self
            .client()
            .await?
            .query("SELECT * FROM upkeep.instances WHERE role = 'retired' AND retire_at <= now() ORDER BY retire_at", &[])
            .await
            .map_err(Error::query("list retired instances"))?;
        Ok(rows.iter().map(Instance::from_row).collect())
    }

    pub async fn forget_instance(&self, id: InstanceId) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "DELETE FROM upkeep.instances WHERE id = $1 AND role = 'retired'",
                &[&id.0],
            )
            .await
            .map_err(Error::query("forget a retired instance"))?;
        Ok(())
    }
}
