//! Prepared statements: one of the protocol, one of SQL, prepared once and executed to the end.

use std::time::Duration;

use tokio_postgres::{SimpleQueryMessage, Statement};

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;

#[derive(Default)]
pub(super) struct Prepared {
    statement: Option<Statement>,
    executed: i32,
}

impl State for Prepared {
    const NAME: &str = "prepared statements";
    const EVERY: Duration = Duration::from_millis(100);

    async fn set_up(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let sql = "PREPARE doubled(int) AS SELECT $1 * 2";
        run.ask(Self::NAME, "PREPARE", session.client.batch_execute(sql))
            .await?;
        let statement = session.client.prepare("SELECT $1::int + 1");
        self.statement = Some(run.ask(Self::NAME, "prepare", statement).await?);
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let Some(statement) = &self.statement else {
            return Ok(());
        };
        self.executed += 1;
        let given = self.executed;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&given];
        let answer = session.client.query_one_scalar(statement, &parameters);
        let is: i32 = run
            .ask(Self::NAME, "execute a prepared statement", answer)
            .await?;
        Broken::unless_equal("result of the prepared statement", is, given + 1)?;
        let sql = format!("EXECUTE doubled({given})");
        let answer = session.client.simple_query(&sql);
        let messages = run.ask(Self::NAME, "EXECUTE", answer).await?;
        let is = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Broken::unless_equal(
            "result of EXECUTE",
            is,
            Some((given * 2).to_string().as_str()),
        )
    }
}
