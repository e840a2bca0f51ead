//! Short transactions with an open portal that is read in portions: a hold must wait for their end.

use std::time::Duration;

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;

const ROWS: i64 = 500;
const PORTION: i32 = 50;

pub(super) struct Portal;

impl State for Portal {
    const NAME: &str = "portal in a transaction";
    const EVERY: Duration = Duration::from_millis(50);

    async fn set_up(&mut self, _run: &Run, _session: &mut Session) -> Result<(), Broken> {
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let read = async {
            let transaction = session.client.transaction().await?;
            let series = "SELECT n FROM generate_series(1, $1::bigint) AS n";
            let portal = transaction.bind(series, &[&ROWS]).await?;
            let mut sum = 0;
            loop {
                let portion = transaction.query_portal(&portal, PORTION).await?;
                if portion.is_empty() {
                    break;
                }
                for row in &portion {
                    sum += row.try_get::<_, i64>(0)?;
                }
            }
            transaction.commit().await?;
            Ok(sum)
        };
        let sum = run
            .ask(Self::NAME, "read a portal in portions", read)
            .await?;
        Broken::unless_equal(
            "the sum read through the portal",
            sum,
            ROWS * (ROWS + 1) / 2,
        )
    }
}
