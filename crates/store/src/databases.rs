//! Databases: what people own.

use std::str::FromStr;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Json;
use upkeep_domain::credential::Credential;
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId, InstanceId};
use upkeep_domain::maintenance::Window;
use upkeep_domain::name::DatabaseName;
use uuid::Uuid;

use crate::attachments::{Attachment, NewAttachment};
use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseState {
    Provisioning,
    Provisioned,
    Deprovisioning,
    /// Provisioning did not come about and was undone.
    Failed,
}

impl DatabaseState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Provisioned => "provisioned",
            Self::Deprovisioning => "deprovisioning",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for DatabaseState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Self::Provisioning,
            Self::Provisioned,
            Self::Deprovisioning,
            Self::Failed,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(())
    }
}

#[derive(Clone, Debug)]
pub struct Database {
    pub id: DatabaseId,
    pub app_id: AppId,
    pub app_name: String,
    pub name: String,
    pub plan: String,
    /// Those in the app that owns it first, and `DATABASE` first of them.
    pub attachments: Vec<Attachment>,
    /// What clients call it, and are routed by.
    pub dbname: String,
    /// What it is called on its server.
    pub server_dbname: String,
    pub credential: Credential,
    pub state: DatabaseState,
    /// The leader of a follower.
    pub follows: Option<DatabaseId>,
    /// The instance that its clients are on.
    pub primary_instance: Option<InstanceId>,
    pub route_fence: Fence,
    /// That which people chose, on whatever plan it was then.
    pub chosen_window: Option<Window>,
    pub created_at: Timestamp,
}

/// A database that is to be provisioned.
#[derive(Clone, Debug)]
pub struct NewDatabase {
    pub id: DatabaseId,
    pub app_id: AppId,
    pub name: DatabaseName,
    pub plan: String,
    pub attachment: NewAttachment,
    pub dbname: String,
    pub server_dbname: String,
    pub credential: Credential,
    /// Its leader, if it is to be a follower.
    pub follows: Option<DatabaseId>,
    pub request_id: Option<String>,
}

const SELECT: &str = "
    SELECT d.*, a.name AS app_name, (
        SELECT coalesce(pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object('id', t.id, 'app_id', t.app_id, 'app_name', p.name, 'name', t.name)
            ORDER BY t.app_id <> d.app_id, t.name <> 'DATABASE', t.created_at, t.name), '[]')
        FROM upkeep.attachments t JOIN upkeep.apps p ON p.id = t.app_id WHERE t.database_id = d.id) AS attachments
    FROM upkeep.databases d JOIN upkeep.apps a ON a.id = d.app_id";

impl Database {
    fn from_row(row: &Row) -> Self {
        let Json(credential) = row.get("credential");
        let Json(attachments) = row.get("attachments");
        Self {
            id: DatabaseId(row.get("id")),
            app_id: AppId(row.get("app_id")),
            app_name: row.get("app_name"),
            name: row.get("name"),
            plan: row.get("plan"),
            attachments,
            dbname: row.get("dbname"),
            server_dbname: row.get("server_dbname"),
            credential,
            state: row
                .get::<_, &str>("state")
                .parse()
                .expect("the table's check allows no other state"),
            follows: row.get::<_, Option<Uuid>>("follows").map(DatabaseId),
            primary_instance: row
                .get::<_, Option<Uuid>>("primary_instance")
                .map(InstanceId),
            route_fence: Fence(row.get::<_, i64>("route_fence") as u64),
            chosen_window: row
                .get::<_, Option<Json<Window>>>("maintenance_window")
                .map(|Json(window)| window),
            created_at: row.get("created_at"),
        }
    }
}

impl Store {
    /// Without those that could not be made; [`Store::database`] still finds them.
    pub async fn databases(&self) -> Result<Vec<Database>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                &format!("{SELECT} WHERE d.state <> 'failed' ORDER BY d.created_at, d.id"),
                &[],
            )
            .await
            .map_err(Error::query("list databases"))?;
        Ok(rows.iter().map(Database::from_row).collect())
    }

    /// What the app owns.
    pub async fn app_databases(&self, app: AppId) -> Result<Vec<Database>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                &format!("{SELECT} WHERE d.app_id = $1 AND d.state <> 'failed' ORDER BY d.created_at, d.id"),
                &[&app.0],
            )
            .await
            .map_err(Error::query("list an app's databases"))?;
        Ok(rows.iter().map(Database::from_row).collect())
    }

    /// What the app has under some name, whoever owns it.
    pub async fn attached_databases(&self, app: AppId) -> Result<Vec<Database>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                &format!(
                    "{SELECT} WHERE EXISTS (
                         SELECT FROM upkeep.attachments t WHERE t.database_id = d.id AND t.app_id = $1)
                     ORDER BY d.created_at, d.id"
                ),
                &[&app.0],
            )
            .await
            .map_err(Error::query("list what is attached to an app"))?;
        Ok(rows.iter().map(Database::from_row).collect())
    }

    pub async fn database_attached_by(
        &self,
        attachment: AttachmentId,
    ) -> Result<Option<Database>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                &format!(
                    "{SELECT} WHERE d.id = (SELECT database_id FROM upkeep.attachments WHERE id = $1)"
                ),
                &[&attachment.0],
            )
            .await
            .map_err(Error::query("read the database of an attachment"))?;
        Ok(row.as_ref().map(Database::from_row))
    }

    pub async fn database(&self, id: DatabaseId) -> Result<Option<Database>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(&format!("{SELECT} WHERE d.id = $1"), &[&id.0])
            .await
            .map_err(Error::query("read a database"))?;
        Ok(row.as_ref().map(Database::from_row))
    }

    /// Databases that follow this one and take sessions.
    pub async fn followers(&self, leader: DatabaseId) -> Result<Vec<Database>, Error> {
        let rows = self
            .client()
            .await?
            .query(
                &format!("{SELECT} WHERE d.follows = $1 AND d.state = 'provisioned' ORDER BY d.created_at, d.id"),
                &[&leader.0],
            )
            .await
            .map_err(Error::query("list followers"))?;
        Ok(rows.iter().map(Database::from_row).collect())
    }

    /// The database that an earlier try of the same request made.
    pub async fn database_by_request(&self, request_id: &str) -> Result<Option<Database>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(&format!("{SELECT} WHERE d.request_id = $1"), &[&request_id])
            .await
            .map_err(Error::query("read a database by its request"))?;
        Ok(row.as_ref().map(Database::from_row))
    }
}
