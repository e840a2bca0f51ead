//! Small batches by `COPY FROM STDIN`, each in its own transaction, counted at every look.

use std::io::Cursor;
use std::time::Duration;

use futures_util::SinkExt as _;
use tokio_postgres::CopyInSink;

use super::{Broken, State};
use crate::load::run::Run;
use crate::load::session::Session;

const LINES: i64 = 100;
const COPY: &str = "COPY load_copies(run, batch, line) FROM STDIN";

#[derive(Default)]
pub(super) struct Copy {
    batches: i32,
}

impl State for Copy {
    const NAME: &str = "COPY from the client";
    const EVERY: Duration = Duration::from_millis(100);

    async fn set_up(&mut self, _run: &Run, _session: &mut Session) -> Result<(), Broken> {
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        self.batches += 1;
        let (number, batch) = (run.number(), self.batches);
        let client = &session.client;
        let copy = async {
            // An own COMMIT: the answer to COPY itself comes before its commit.
            client.batch_execute("BEGIN").await?;
            let sink: CopyInSink<Cursor<Vec<u8>>> = client.copy_in(COPY).await?;
            futures_util::pin_mut!(sink);
            for line in 1..=LINES {
                let line = format!("{number}\t{batch}\t{line}\n");
                sink.send(Cursor::new(line.into_bytes())).await?;
            }
            let copied = sink.finish().await?;
            client.batch_execute("COMMIT").await?;
            Ok(copied)
        };
        let copied = run.ask(Self::NAME, "copy a batch", copy).await?;
        Broken::unless_equal("lines copied", copied, LINES.unsigned_abs())?;
        let count = "SELECT count(*) FROM load_copies WHERE run = $1";
        let stored: i64 = run
            .ask_for(session, "count copied lines", count, &[&number])
            .await?;
        Broken::unless_equal(
            "number of copied lines stored",
            stored,
            LINES * i64::from(batch),
        )
    }
}
