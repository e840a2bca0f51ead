//! Attachments: the names under which apps have databases. Config vars follow from them, so every
//! change here is a version of the app (`app_versions.rs`), in the same statement.

use serde::Deserialize;
use upkeep_domain::attachment::AttachmentName;
use upkeep_domain::id::{AppId, AttachmentId, DatabaseId};
use uuid::Uuid;

use crate::connect::Transaction;
use crate::statements::Ask as _;
use crate::{Error, Store};

/// Of a database, as [`Database`](crate::Database) has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attachment {
    pub id: AttachmentId,
    /// Not always the app that owns the database.
    pub app_id: AppId,
    pub app_name: String,
    pub name: AttachmentName,
}

#[derive(Clone, Debug)]
pub struct NewAttachment {
    pub id: AttachmentId,
    pub app_id: AppId,
    pub database_id: DatabaseId,
    pub name: AttachmentName,
    pub request_id: Option<String>,
}

/// What has the name until now.
#[derive(Clone, Debug)]
pub struct Instead {
    pub attachment: AttachmentId,
    /// Under which its database stays attached.
    pub alias: Option<NewAttachment>,
}

/// A changed attachment `t` becomes a version of its app. The app's row is locked by it, so that
/// versions are numbered one after the other.
macro_rules! told {
    ($change:literal, $word:literal) => {
        concat!(
            "WITH t AS (",
            $change,
            "),
            v AS (
                UPDATE upkeep.apps a SET version = version + 1 FROM t WHERE a.id = t.app_id
                RETURNING a.id, a.version)
            INSERT INTO upkeep.app_versions (app_id, version, description)
            SELECT v.id, v.version, '",
            $word,
            " ' || t.name || ' (@ref:' || d.name || ')'
            FROM t JOIN v ON v.id = t.app_id JOIN upkeep.databases d ON d.id = t.database_id"
        )
    };
}

/// Of a database that is or will be there: one that is being destroyed stays without a name.
const INSERT: &str = told!(
    "INSERT INTO upkeep.attachments (id, app_id, database_id, name, request_id)
     SELECT $1, $2, d.id, $4, $5 FROM upkeep.databases d
     WHERE d.id = $3 AND d.state IN ('provisioning', 'provisioned') FOR SHARE
     RETURNING app_id, database_id, name",
    "Attach"
);

const DELETE: &str = told!(
    "DELETE FROM upkeep.attachments WHERE id = $1 RETURNING app_id, database_id, name",
    "Detach"
);

/// Not the last one in the app that owns the database. The app's row is locked before.
const DELETE_ONE_OF_SEVERAL: &str = told!(
    "DELETE FROM upkeep.attachments t USING upkeep.databases d
     WHERE t.id = $1 AND d.id = t.database_id AND (t.app_id <> d.app_id OR EXISTS (
         SELECT FROM upkeep.attachments o
         WHERE o.database_id = d.id AND o.app_id = d.app_id AND o.id <> t.id))
     RETURNING t.app_id, t.database_id, t.name",
    "Detach"
);

const LOCK_APP: &str = "
    SELECT FROM upkeep.apps WHERE id = (SELECT app_id FROM upkeep.attachments WHERE id = $1) FOR NO KEY UPDATE";

/// Also when it is done again: the version is written once.
const SET_PROVISIONED: &str = "
    WITH d AS (
        UPDATE upkeep.databases SET state = 'provisioned' WHERE id = $1 AND state <> 'provisioned'
        RETURNING id, app_id, name),
    t AS (
        SELECT pg_catalog.string_agg(t.name || '_URL', ', ' ORDER BY t.name) AS vars
        FROM upkeep.attachments t JOIN d ON t.database_id = d.id AND t.app_id = d.app_id),
    v AS (
        UPDATE upkeep.apps a SET version = version + 1 FROM d WHERE a.id = d.app_id RETURNING a.id, a.version)
    INSERT INTO upkeep.app_versions (app_id, version, description)
    SELECT v.id, v.version, '@ref:' || d.name || ' completed provisioning, setting ' || t.vars || '.'
    FROM d JOIN v ON v.id = d.app_id, t";

pub(crate) async fn insert(
    transaction: &Transaction<'_>,
    new: &NewAttachment,
) -> Result<u64, tokio_postgres::Error> {
    transaction
        .execute(
            INSERT,
            &[
                &new.id.0,
                &new.app_id.0,
                &new.database_id.0,
                &new.name.as_str(),
                &new.request_id,
            ],
        )
        .await
}

/// Those in all apps.
pub(crate) async fn delete_all(
    transaction: &Transaction<'_>,
    database: DatabaseId,
) -> Result<(), tokio_postgres::Error> {
    let rows = transaction
        .query(
            "SELECT id FROM upkeep.attachments WHERE database_id = $1 ORDER BY app_id, name FOR UPDATE",
            &[&database.0],
        )
        .await?;
    for row in rows {
        transaction
            .execute(DELETE, &[&row.get::<_, Uuid>("id")])
            .await?;
    }
    Ok(())
}

/// Its config vars are set from now on.
pub(crate) async fn set_provisioned(
    transaction: &Transaction<'_>,
    database: DatabaseId,
) -> Result<u64, tokio_postgres::Error> {
    transaction.execute(SET_PROVISIONED, &[&database.0]).await
}

async fn delete_one_of_several(
    transaction: &Transaction<'_>,
    id: AttachmentId,
) -> Result<u64, tokio_postgres::Error> {
    transaction.execute(LOCK_APP, &[&id.0]).await?;
    transaction.execute(DELETE_ONE_OF_SEVERAL, &[&id.0]).await
}

impl Store {
    /// From now on the app has the database under this name, instead of what had it.
    ///
    /// False, and nothing is changed, when it was overtaken: what it speaks of is not there any more.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name is taken, or the request was served already.
    pub async fn attach(
        &self,
        new: &NewAttachment,
        instead: Option<&Instead>,
    ) -> Result<bool, Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        if let Some(instead) = instead {
            if let Some(alias) = &instead.alias {
                let inserted = insert(&transaction, alias).await;
                if inserted.map_err(Error::query("attach under another name"))? == 0 {
                    return Ok(false);
                }
            }
            let deleted = delete_one_of_several(&transaction, instead.attachment).await;
            if deleted.map_err(Error::query("detach what had the name"))? == 0 {
                return Ok(false);
            }
        }
        let inserted = insert(&transaction, new).await;
        if inserted.map_err(Error::query("attach a database"))? == 0 {
            return Ok(false);
        }
        transaction
            .commit()
            .await
            .map_err(Error::query("commit an attachment"))?;
        Ok(true)
    }

    /// False when it is not there, or the last one in the app that owns the database.
    pub async fn detach(&self, id: AttachmentId) -> Result<bool, Error> {
        let mut transactions = self.transactions().await?;
        let transaction = transactions.begin().await?;
        let deleted = delete_one_of_several(&transaction, id)
            .await
            .map_err(Error::query("detach a database"))?;
        transaction
            .commit()
            .await
            .map_err(Error::query("commit the end of an attachment"))?;
        Ok(deleted == 1)
    }

    /// What an earlier try of the same request made.
    pub async fn attachment_by_request(
        &self,
        request_id: &str,
    ) -> Result<Option<AttachmentId>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT id FROM upkeep.attachments WHERE request_id = $1",
                &[&request_id],
            )
            .await
            .map_err(Error::query("read an attachment by its request"))?;
        Ok(row.map(|row| AttachmentId(row.get("id"))))
    }
}
