//! Whose state this is: the host, the accounts and their tokens. A token itself is never stored.

use upkeep_domain::id::HostId;
use uuid::Uuid;

use crate::statements::Ask as _;
use crate::{Error, Store};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: Uuid,
    pub email: String,
}

impl Store {
    /// Makes this state the host's, unless it is another's.
    ///
    /// # Errors
    /// [`Error::OtherHost`] when it is.
    pub async fn claim_for_host(&self, host: HostId) -> Result<(), Error> {
        let client = self.client().await?;
        client
            .execute(
                "INSERT INTO upkeep.hosts (id) VALUES ($1) ON CONFLICT DO NOTHING",
                &[&host.0],
            )
            .await
            .map_err(Error::query("record the host"))?;
        let row = client
            .query_one("SELECT id FROM upkeep.hosts", &[])
            .await
            .map_err(Error::query("read the host"))?;
        let owner = HostId(row.get(0));
        if owner == host {
            Ok(())
        } else {
            Err(Error::OtherHost { host: owner })
        }
    }

    /// Makes the account of the token with this hash if it is missing; an account that is there gets this
    /// mail address.
    pub async fn add_token(&self, id: Uuid, email: &str, sha256: &[u8; 32]) -> Result<(), Error> {
        self.client()
            .await?
            .execute(
                "WITH known AS (
                     UPDATE upkeep.accounts a SET email = $2 FROM upkeep.tokens t
                     WHERE t.sha256 = $3 AND a.id = t.account_id RETURNING a.id),
                 account AS (
                     INSERT INTO upkeep.accounts (id, email) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM known)
                     ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id)
                 INSERT INTO upkeep.tokens (sha256, account_id) SELECT $3, id FROM account
                 ON CONFLICT (sha256) DO NOTHING",
                &[&id, &email, &sha256.as_slice()],
            )
            .await
            .map_err(Error::query("add a token"))?;
        Ok(())
    }

    /// Looking a 256-bit hash up by index tells an attacker nothing about the token.
    pub async fn account_by_token(&self, sha256: &[u8; 32]) -> Result<Option<Account>, Error> {
        let row = self
            .client()
            .await?
            .query_opt(
                "SELECT a.id, a.email FROM upkeep.tokens t JOIN upkeep.accounts a ON a.id = t.account_id
                 WHERE t.sha256 = $1",
                &[&sha256.as_slice()],
            )
            .await
            .map_err(Error::query("look a token up"))?;
        Ok(row.map(|row| Account {
            id: row.get(0),
            email: row.get(1),
        }))
    }
}
