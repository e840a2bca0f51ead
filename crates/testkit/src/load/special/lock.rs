//! A session advisory lock, and a rival that tries to take it all the time and must never get it.

use std::time::Duration;

use super::{Broken, Findings, State, finding, finish, watch};
use crate::load::run::Run;
use crate::load::session::Session;
use crate::load::trouble::Trouble;

/// First half of the lock's key; the second is the run's number.
const KEY: i32 = 0x10AD;

struct Holder;

struct Rival;

impl State for Holder {
    const NAME: &str = "advisory lock";
    const EVERY: Duration = Duration::from_millis(100);

    async fn set_up(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let number = run.number();
        let lock = "SELECT pg_try_advisory_lock($1, $2)";
        let tried = "take an advisory lock";
        let got: bool = run.ask_for(session, tried, lock, &[&KEY, &number]).await?;
        Broken::unless_equal("the free lock taken", got, true)
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                    AND pid = pg_backend_pid() AND classid::bigint = $1 AND objid::bigint = $2";
        let (class, object) = (i64::from(KEY), i64::from(run.number()));
        let tried = "look up the advisory lock";
        let is: i64 = run
            .ask_for(session, tried, held, &[&class, &object])
            .await?;
        Broken::unless_equal("number of locks held", is, 1)
    }
}

impl State for Rival {
    const NAME: &str = "advisory lock rival";
    const EVERY: Duration = Duration::from_millis(20);

    async fn set_up(&mut self, _run: &Run, _session: &mut Session) -> Result<(), Broken> {
        Ok(())
    }

    async fn look(&mut self, run: &Run, session: &mut Session) -> Result<(), Broken> {
        let number = run.number();
        let lock = "SELECT pg_try_advisory_lock($1, $2)";
        let tried = "try the rival's advisory lock";
        let got: bool = run.ask_for(session, tried, lock, &[&KEY, &number]).await?;
        Broken::unless_equal("the lock given to a second session", got, false)
    }
}

pub(super) async fn hold(run: Run) -> Findings {
    let (mut holder, mut rival) = match open(&run).await {
        Ok(both) => both,
        Err(trouble) => return Findings::of(vec![finding(Holder::NAME, &Err(trouble.into()))]),
    };
    if let Err(why) = Holder.set_up(&run, &mut holder).await {
        rival.close().await;
        return Findings::of(vec![finish(holder, Err(why)).await]);
    }
    let (mut hold, mut compete) = (Holder, Rival);
    // Neither session ends before both have looked for the last time: the lock is free as soon as
    // its holder leaves.
    let (held, refused) = tokio::join!(
        watch(&run, &mut holder, &mut hold),
        watch(&run, &mut rival, &mut compete)
    );
    let rival = finish(rival, refused).await;
    Findings::of(vec![finish(holder, held).await, rival])
}

async fn open(run: &Run) -> Result<(Session, Session), Trouble> {
    let holder = Session::open(run, Holder::NAME, None).await?;
    Ok((holder, Session::open(run, Rival::NAME, None).await?))
}
