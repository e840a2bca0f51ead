//! A listener, and a notifier that sends numbered notifications all the time: each acknowledged one
//! must arrive once, in order.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Notification;

use super::{Findings, SpecialSession, finding};
use crate::load::pace::Pace;
use crate::load::run::{RETRY_AFTER, Run};
use crate::load::session::Session;
use crate::load::trouble::Trouble;

const NAME: &str = "listener";
const NOTIFIER: &str = "notifier";
const PER_SECOND: f64 = 100.0;
/// How long the last notifications may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);

/// What became of the notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Whose sending was acknowledged.
    pub sent: u64,
    /// Different ones that arrived.
    pub received: u64,
    pub missing: u64,
    pub doubled: u64,
    pub out_of_order: u64,
}

pub(super) async fn listen(run: Run) -> Findings {
    let (heard, mut arrivals) = unbounded_channel();
    let listener = match Session::open(&run, NAME, Some(heard)).await {
        Ok(session) => session,
        Err(trouble) => return Findings::of(vec![finding(NAME, &Err(trouble.into()))]),
    };
    let channel = format!("load_{}", run.number());
    let sql = format!("LISTEN {channel}");
    if let Err(trouble) = run
        .ask(NAME, "LISTEN", listener.client.batch_execute(&sql))
        .await
    {
        listener.bury(&trouble).await;
        return Findings::of(vec![finding(NAME, &Err(trouble.into()))]);
    }
    let sent = notify(&run, &channel).await;
    let (heard, numbers) = collect(&sent, &mut arrivals).await;
    let connected = !listener.client.is_closed();
    listener.close().await;
    let kept = connected && heard.missing == 0 && heard.doubled == 0 && heard.out_of_order == 0;
    let note = format!(
        "{numbers} arrived of {}; still connected: {}",
        heard.sent,
        if connected { "yes" } else { "no" }
    );
    let session = SpecialSession {
        name: NAME.to_owned(),
        kept,
        note,
    };
    Findings {
        sessions: vec![session],
        heard: Some(heard),
    }
}

/// Sends numbers until the load stops; gives back those whose sending was acknowledged.
async fn notify(run: &Run, channel: &str) -> HashSet<u64> {
    let mut sent = HashSet::new();
    let mut next = 1;
    let mut pace = Pace::new(Some(PER_SECOND));
    while let Some(session) = run.connect(NOTIFIER).await {
        match notify_on(run, &session, channel, &mut next, &mut sent, &mut pace).await {
            Ok(()) => {
                session.close().await;
                break;
            }
            Err(trouble) => session.bury(&trouble).await,
        }
        run.pause(RETRY_AFTER).await;
    }
    sent
}

async fn notify_on(
    run: &Run,
    session: &Session,
    channel: &str,
    next: &mut u64,
    sent: &mut HashSet<u64>,
    pace: &mut Pace,
) -> Result<(), Trouble> {
    while !run.stopping() {
        pace.next().await;
        let number = *next;
        *next += 1;
        let sql = format!("NOTIFY {channel}, '{number}'");
        run.ask(NOTIFIER, "NOTIFY", session.client.batch_execute(&sql))
            .await?;
        sent.insert(number);
        run.tally().notification_sent();
    }
    Ok(())
}

/// Waits for the acknowledged ones, and a moment longer for what should not come.
async fn collect(
    sent: &HashSet<u64>,
    arrivals: &mut UnboundedReceiver<Notification>,
) -> (Heard, u64) {
    let mut seen = HashSet::new();
    let mut heard = Heard {
        sent: sent.len() as u64,
        ..Heard::default()
    };
    let (mut arrived, mut highest) = (0, 0);
    let mut until = Instant::now() + ARRIVAL;
    let mut complete = false;
    loop {
        if !complete && sent.is_subset(&seen) {
            complete = true;
            until = Instant::now() + Duration::from_millis(200);
        }
        let Ok(Some(notification)) = timeout_at(until, arrivals.recv()).await else {
            break;
        };
        let Ok(number) = notification.payload().parse::<u64>() else {
            continue;
        };
        arrived += 1;
        if !seen.insert(number) {
            heard.doubled += 1;
        } else if number < highest {
            heard.out_of_order += 1;
        }
        highest = highest.max(number);
    }
    heard.received = seen.len() as u64;
    heard.missing = sent.difference(&seen).count() as u64;
    (heard, arrived)
}
