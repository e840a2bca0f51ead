//! Sessions that do nothing at all until the end: their connection must still be there.

use tokio::task::JoinSet;

use super::{Findings, SpecialSession};
use crate::load::run::Run;
use crate::load::session::Session;
use crate::load::trouble::Trouble;

pub(super) async fn wait(run: Run, sessions: u32) -> Findings {
    let mut tasks = JoinSet::new();
    for number in 1..=sessions {
        tasks.spawn(wait_one(run.clone(), format!("idle-{number}")));
    }
    let mut alive = 0;
    let mut first = None;
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(())) => alive += 1,
            Ok(Err(trouble)) => first = first.or(Some(trouble.to_string())),
            Err(error) => first = first.or(Some(error.to_string())),
        }
    }
    let name = format!("{sessions} idle sessions");
    let why = first
        .map(|why| format!(", first trouble: {why}"))
        .unwrap_or_default();
    let note = format!("{alive} answered on their first connection{why}");
    Findings::of(vec![SpecialSession {
        name,
        kept: alive == sessions,
        note,
    }])
}

async fn wait_one(run: Run, name: String) -> Result<(), Trouble> {
    let session = Session::open(&run, &name, None).await?;
    run.stopped().await;
    match run
        .ask(
            &name,
            "select 1 after idling",
            session.client.batch_execute("SELECT 1"),
        )
        .await
    {
        Ok(()) => {
            session.close().await;
            Ok(())
        }
        Err(trouble) => {
            session.bury(&trouble).await;
            Err(trouble)
        }
    }
}
