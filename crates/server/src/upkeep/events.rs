//! Events of a database, with a long poll: the live views read nothing else.

use std::time::Duration;

use axum::extract::{Path, State};
use upkeep_api::body::{Event, EventKind, Events, Progress};

use crate::backend::{self, EventView, Since};
use crate::reply::{self, Reply};
use crate::request::Params;
use crate::router::Services;
use crate::{find, times};

/// Clients give up after 60 s of silence.
const WAIT_MS_MAX: i64 = 20_000;
const LIMIT: i64 = 500;

pub(super) async fn list(
    State(services): State<Services>,
    Path(database): Path<String>,
    params: Params,
) -> Reply {
    let wait = params.number("wait_ms", 0)?.clamp(0, WAIT_MS_MAX);
    let limit = params.number("limit", LIMIT)?.clamp(1, LIMIT);
    let since = if params.has("after") {
        Since::Event(params.number("after", 0)?)
    } else {
        Since::LatestWorkflow
    };
    let database = find::database(&*services.backend, &database, None).await?;
    let wait = Duration::from_millis(wait as u64);
    let events = services
        .backend
        .events(database.id, since, limit as u32, wait)
        .await?;
    Ok(reply::ok(&Events {
        events: events.into_iter().map(shown).collect(),
    }))
}

fn shown(event: EventView) -> Event {
    Event {
        at: times::precise(event.at),
        detail: event.detail,
        id: event.id,
        kind: shown_kind(event.kind),
        elapsed_ms: event.elapsed_ms,
        procedure: event.procedure,
        progress: event.progress.map(shown_progress),
        sentence: event.sentence,
        step: event.step,
        workflow: event.workflow.0,
    }
}

fn shown_progress(progress: backend::Progress) -> Progress {
    Progress {
        done_bytes: progress.done_bytes,
        total_bytes: progress.total_bytes,
    }
}

fn shown_kind(kind: backend::EventKind) -> EventKind {
    match kind {
        backend::EventKind::Began => EventKind::Began,
        backend::EventKind::Waiting => EventKind::Waiting,
        backend::EventKind::Progress => EventKind::Progress,
        backend::EventKind::Done => EventKind::Done,
        backend::EventKind::Again => EventKind::Again,
        backend::EventKind::Failed => EventKind::Failed,
        backend::EventKind::Ended => EventKind::Ended,
        backend::EventKind::Note => EventKind::Note,
    }
}
