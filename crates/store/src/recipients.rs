//! Recipients: whoever wants to be told of what concerns an app, or of everything.

use jiff::Timestamp;
use tokio_postgres::Row;
use upkeep_domain::id::AppId;
use upkeep_domain::notice::{Address, Listener};
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecipient {
    pub id: i64,
    pub listener: Listener,
    /// Name of its app; none if it is of the fleet.
    pub app: Option<String>,
    pub added_by: String,
    pub created_at: Timestamp,
}

const WITH_APP: &str =
    "SELECT r.*, a.name AS app FROM r LEFT JOIN upkeep.apps a ON a.id = r.app_id ORDER BY r.id";

impl Store {
    /// In the order in which they were added.
    pub async fn recipients(&self) -> Result<Vec<KeptRecipient>, Error> {
        let list = format!("WITH r AS (SELECT * FROM upkeep.recipients) {WITH_APP}");
        let rows = self.client().await?.query(&list, &[]).await;
        let rows = rows.map_err(Error::query("list recipients"))?;
        Ok(rows.iter().map(KeptRecipient::from_row).collect())
    }

    /// `secret` is what a program that is called knows us by; the one that is kept is told. Asked again with
    /// the same request id: the first one.
    ///
    /// # Errors
    /// [`Error::Exists`] when it is there already.
    pub async fn add_recipient(
        &self,
        listener: &Listener,
        secret: Option<&str>,
        by: &str,
        request_id: Option<&str>,
    ) -> Result<(KeptRecipient, Option<String>), Error> {
        let add = format!(
            "WITH r AS (
                 INSERT INTO upkeep.recipients (app_id, address, secret, added_by, request_id)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (request_id) DO UPDATE SET request_id = excluded.request_id RETURNING *)
             {WITH_APP}"
        );
        let app = listener.app.map(|app| app.0);
        let address = listener.address.as_str();
        let client = self.client().await?;
        let row = client
            .query_one(&add, &[&app, &address, &secret, &by, &request_id])
            .await;
        let row = row.map_err(Error::query("add a recipient"))?;
        Ok((KeptRecipient::from_row(&row), row.get("secret")))
    }

    /// As it was, and what has not been sent to it never is; nothing if there is none with that id.
    pub async fn remove_recipient(&self, id: i64) -> Result<Option<KeptRecipient>, Error> {
        let remove = format!(
            "WITH unsent AS (
                 DELETE FROM upkeep.deliveries WHERE recipient_id = $1 AND state <> 'sent'),
             r AS (DELETE FROM upkeep.recipients WHERE id = $1 RETURNING *)
             {WITH_APP}"
        );
        let row = self.client().await?.query_opt(&remove, &[&id]).await;
        let row = row.map_err(Error::query("remove a recipient"))?;
        Ok(row.as_ref().map(KeptRecipient::from_row))
    }

    /// With what a program that is called knows us by.
    pub async fn recipient(
        &self,
        id: i64,
    ) -> Result<Option<(KeptRecipient, Option<String>)>, Error> {
        let read = format!("WITH r AS (SELECT * FROM upkeep.recipients WHERE id = $1) {WITH_APP}");
        let row = self.client().await?.query_opt(&read, &[&id]).await;
        let row = row.map_err(Error::query("read a recipient"))?;
        Ok(row.map(|row| (KeptRecipient::from_row(&row), row.get("secret"))))
    }

    /// Mail addresses of the owners of apps.
    pub async fn owners(&self) -> Result<Vec<String>, Error> {
        let sql = "SELECT email FROM upkeep.accounts ORDER BY created_at";
        let rows = self.client().await?.query(sql, &[]).await;
        let rows = rows.map_err(Error::query("list owners"))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

impl KeptRecipient {
    fn from_row(row: &Row) -> Self {
        let app = row.get::<_, Option<Uuid>>("app_id");
        let address: String = row.get("address");
        let is_hook = row.get::<_, Option<&str>>("secret").is_some();
        Self {
            id: row.get("id"),
            listener: Listener {
                app: app.map(AppId),
                address: if is_hook {
                    Address::Hook(address)
                } else {
                    Address::Mail(address)
                },
            },
            app: row.get("app"),
            added_by: row.get("added_by"),
            created_at: row.get("created_at"),
        }
    }
}
