//! Statements that a connection has prepared: each is parsed once, and planned seldom. Steps are committed while
//! clients are held, and every round trip counts.
//!
//! Knows all statements of this crate, because their texts are constant: nothing is ever thrown out, but for what
//! has failed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, GenericClient, Row, Statement};

#[derive(Default)]
pub(crate) struct Statements(Mutex<HashMap<String, Statement>>);

impl Statements {
    async fn prepare(&self, client: &impl GenericClient, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(sql).await?;
        self.lock().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// What has failed is prepared anew: a newer program may have changed the tables.
    fn answered<T>(&self, sql: &str, answer: Result<T, Error>) -> Result<T, Error> {
        if answer.is_err() {
            self.lock().remove(sql);
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Statement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection or a transaction on it, with what was prepared there.
pub(crate) trait Ask {
    type Client: GenericClient + Sync;

    fn parts(&self) -> (&Self::Client, &Statements);

    async fn query(&self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, Error> {
        let (client, statements) = self.parts();
        let statement = statements.prepare(client, sql).await?;
        statements.answered(sql, client.query(&statement, parameters).await)
    }

    async fn query_one(&self, sql: &str, parameters: Parameters<'_>) -> Result<Row, Error> {
        let (client, statements) = self.parts();
        let statement = statements.prepare(client, sql).await?;
        statements.answered(sql, client.query_one(&statement, parameters).await)
    }

    async fn query_opt(&self, sql: &str, parameters: Parameters<'_>) -> Result<Option<Row>, Error> {
        let (client, statements) = self.parts();
        let statement = statements.prepare(client, sql).await?;
        statements.answered(sql, client.query_opt(&statement, parameters).await)
    }

    async fn execute(&self, sql: &str, parameters: Parameters<'_>) -> Result<u64, Error> {
        let (client, statements) = self.parts();
        let statement = statements.prepare(client, sql).await?;
        statements.answered(sql, client.execute(&statement, parameters).await)
    }
}

type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];
