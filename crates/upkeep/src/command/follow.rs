//! Follows a database's events until something is over, and shows them as they come.

use std::future::Future;
use std::time::Duration;

use tokio::pin;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use upkeep_api::body::{Event, EventKind};
use upkeep_api::client::{self, Client};
use uuid::Uuid;

use crate::exit::Failure;
use crate::output::{Drawing, LiveView, Output};

const POLL: Duration = Duration::from_secs(1);
const REDRAW_EVERY: Duration = Duration::from_millis(100);
/// How long a server that is being restarted may be away.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(500);

/// What `look` finds once it is over, and the last trouble that the events told of.
pub(super) struct Followed<T> {
    pub(super) end: T,
    pub(super) trouble: Option<String>,
}

struct Reader<'a> {
    client: &'a Client,
    database: Uuid,
    after: Option<i64>,
    view: LiveView,
    step_began: Instant,
}

/// Shows events until `look` answers with something.
pub(super) async fn follow<T, F: Future<Output = Result<Option<T>, client::Error>>>(
    client: &Client,
    database: Uuid,
    out: &mut Output,
    look: impl Fn() -> F,
) -> Result<Followed<T>, Failure> {
    follow_every(POLL, client, database, out, look).await
}

/// The same, with the longest silence before it is looked whether it is over.
pub(super) async fn follow_every<T, F: Future<Output = Result<Option<T>, client::Error>>>(
    poll: Duration,
    client: &Client,
    database: Uuid,
    out: &mut Output,
    look: impl Fn() -> F,
) -> Result<Followed<T>, Failure> {
    let drawing = if out.is_terminal() {
        Drawing::InPlace
    } else {
        Drawing::LineByLine
    };
    let mut reader = Reader {
        client,
        database,
        after: None,
        view: LiveView::new(drawing),
        step_began: Instant::now(),
    };
    let mut silent_since = None;
    loop {
        let round = async {
            reader.read(poll.as_millis() as u64, out).await?;
            let end = look().await?;
            if end.is_some() {
                // What was told between the last reading and the end.
                reader.read(0, out).await?;
            }
            Ok(end)
        };
        match round.await {
            Ok(Some(end)) => {
                return Ok(Followed {
                    end,
                    trouble: reader.view.trouble,
                });
            }
            Ok(None) => silent_since = None,
            Err(error) => be_patient(error, &mut silent_since, out).await?,
        }
    }
}

/// The work goes on without us: a server that is away for a moment is waited for.
async fn be_patient(
    error: client::Error,
    since: &mut Option<Instant>,
    out: &mut Output,
) -> Result<(), Failure> {
    if !matches!(error, client::Error::Unreachable { .. }) {
        return Err(error.into());
    }
    if since.is_none() && !out.is_terminal() {
        out.say("no answer from the server; waiting for it");
    }
    if since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
        return Err(error.into());
    }
    sleep(PAUSE).await;
    Ok(())
}

impl Reader<'_> {
    async fn read(&mut self, wait_ms: u64, out: &mut Output) -> Result<(), client::Error> {
        let events = self.client.events(self.database, self.after, wait_ms);
        pin!(events);
        let mut redraw = interval(REDRAW_EVERY);
        redraw.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let events = loop {
            tokio::select! {
                events = &mut events => break events?,
                _ = redraw.tick() => {
                    let age = self.step_began.elapsed();
                    out.draw(&self.view.redraw(age.as_secs_f64() * 1_000.0));
                }
            }
        };
        for event in &events {
            self.take(event, out);
        }
        let age = self.step_began.elapsed();
        out.draw(&self.view.redraw(age.as_secs_f64() * 1_000.0));
        Ok(())
    }

    fn take(&mut self, event: &Event, out: &mut Output) {
        self.after = Some(event.id);
        if event.kind == EventKind::Began {
            self.step_began = Instant::now();
        }
        out.draw(&self.view.take(event));
    }
}
