//! Apps: what owns databases.

use jiff::Timestamp;
use tokio_postgres::Row;
use upkeep_domain::id::AppId;
use upkeep_domain::name::AppName;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    pub id: AppId,
    pub name: String,
    pub maintenance: bool,
    pub created_at: Timestamp,
}

impl App {
    fn from_row(row: &Row) -> Self {
        Self {
            id: AppId(row.get("id")),
            name: row.get("name"),
            maintenance: row.get("maintenance"),
            created_at: row.get("created_at"),
        }
    }
}

impl Store {
    /// # Errors
    /// [`Error::Exists`] when the name is taken.
    pub async fn insert_app(&self, id: AppId, name: &AppName) -> Result<App, Error> {
        self.client()
            .await?
            .query_one(
                "WITH a AS (INSERT INTO upkeep.apps (id, name) VALUES ($1, $2) RETURNING *),
                 v AS (
                     INSERT INTO upkeep.app_versions (app_id, version, description)
                     SELECT id, version, 'Initial release' FROM a)
                 SELECT * FROM a",
                &[&id.0, &name.as_str()],
            )
            .await
            .map(|row| App::from_row(&row))
            .map_err(Error::query("insert an app"))
    }

    pub async fn apps(&self) -> Result<Vec<App>, Error> {
        let rows = self
            .client()
            .await?
            .query("SELECT * FROM upkeep.apps ORDER BY name", &[])
            .await
            .map_err(Error::query("list apps"))?;
        Ok(rows.iter().map(App::from_row).collect())
    }

    /// By name or id.
    pub async fn app(&self, name_or_id: &str) -> Result<Option<App>, Error> {
        let id = name_or_id.parse::<Uuid>().ok();
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT * FROM upkeep.apps WHERE name = $1 OR id = $2",
                &[&name_or_id, &id],
            )
            .await
            .map_err(Error::query("read an app"))?;
        Ok(row.as_ref().map(App::from_row))
    }

    pub async fn set_app_maintenance(&self, id: AppId, on: bool) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "UPDATE upkeep.apps SET maintenance = $2 WHERE id = $1",
                &[&id.0, &on],
            )
            .await
            .map_err(Error::query("set an app's maintenance mode"))?;
        Ok(())
    }
}
