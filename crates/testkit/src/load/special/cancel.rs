//! A statement that is cancelled on purpose: the one error (57014) that is a success.

use std::time::Duration;

use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;
use crate::load::trouble::Trouble;

/// Much longer than any cancel takes, so that only a cancel ends it early.
const SLEEP: &str = "SELECT pg_sleep(20)";
const CANCEL_AFTER: Duration = Duration::from_millis(50);

pub(super) struct Cancel;

impl State for Cancel {
    const NAME: &str = "cancelled statement";
    const EVERY: Duration = Duration::from_millis(500);

    async fn set_up(&mut self, _run: &Run, _session: &mut Session) -> Result<(), Broken> {
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let token = session.client.cancel_token();
        // PostgreSQL does not promise that a cancel hits: one sent too early does nothing. So ask
        // again, as a person would.
        let cancel = async {
            loop {
                tokio::time::sleep(CANCEL_AFTER).await;
                if let Err(trouble) = run.within(token.cancel_query(NoTls)).await {
                    run.tally().connection_refused(Self::NAME, &trouble);
                }
            }
        };
        let slept = run.within(session.client.batch_execute(SLEEP));
        let slept = tokio::select! {
            slept = slept => slept,
            () = cancel => unreachable!("a loop without an end"),
        };
        match slept {
            Err(Trouble::Refused { sqlstate, .. })
                if sqlstate == SqlState::QUERY_CANCELED.code() =>
            {
                Ok(())
            }
            Ok(()) => Err(Broken::Changed("a cancel had no effect".to_owned())),
            Err(trouble) => {
                run.tally()
                    .statement_failed(Self::NAME, "sleep until cancelled", &trouble);
                Err(trouble.into())
            }
        }
    }
}
