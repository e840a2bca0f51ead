//! Versions of an app's configuration: what it was told about its databases, and when. Each is
//! written with the change that it tells of (`attachments.rs`, `apps.rs`).

use jiff::Timestamp;
use upkeep_domain::id::AppId;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppVersion {
    pub id: Uuid,
    pub version: u32,
    /// Such as `Attach DATABASE (@ref:postgresql-x)`.
    pub description: String,
    pub created_at: Timestamp,
}

impl Store {
    /// Newest first.
    pub async fn app_versions(&self, app: AppId) -> Result<Vec<AppVersion>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                "SELECT * FROM upkeep.app_versions WHERE app_id = $1 ORDER BY version DESC",
                &[&app.0],
            )
            .await
            .map_err(Error::query("list the versions of an app"))?;
        let versions = rows.iter().map(|row| AppVersion {
            id: row.get("id"),
            version: row.get::<_, i32>("version") as u32,
            description: row.get("description"),
            created_at: row.get("created_at"),
        });
        Ok(versions.collect())
    }
}
