//! Calendars that others subscribe to: listed, added, removed, read.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use upkeep_api::{body, paths};

use crate::backend::{Account, KeptCalendarView};
use crate::calendar::feed;
use crate::reply::{self, Refused, Reply};
use crate::request::{Json, RequestId, numbered};
use crate::router::Services;
use crate::times;

/// As many as of a SHA-256: nobody guesses it.
const TOKEN_BYTES: usize = 32;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let calendars = services.backend.calendars().await?;
    let calendars = calendars.into_iter().map(|view| shown(view, None));
    Ok(reply::ok(&calendars.collect::<Vec<_>>()))
}

pub(super) async fn add(
    State(services): State<Services>,
    Extension(account): Extension<Account>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<body::AddCalendar>,
) -> Reply {
    let backend = &services.backend;
    let app = match &wish.app {
        Some(app) => Some(backend.app(app).await?.id),
        None => None,
    };
    let mut token = [0; TOKEN_BYTES];
    services.random.fill(&mut token);
    let token = BASE64_URL_SAFE_NO_PAD.encode(token);
    let hash = Sha256::digest(&token).into();
    let added = backend
        .add_calendar(app, hash, &account.email, request_id.0)
        .await?;
    let path = paths::fill(paths::CALENDAR_FEED, &[&token]);
    Ok(reply::created(&shown(added, Some(path))))
}

pub(super) async fn remove(State(services): State<Services>, Path(id): Path<String>) -> Reply {
    let id = numbered(&id, "a calendar", "upkeep calendars")?;
    let removed = services.backend.remove_calendar(id).await?;
    Ok(reply::ok(&shown(removed, None)))
}

/// Programs that subscribe cannot log in: the token says that they may.
pub(super) async fn read(State(services): State<Services>, Path(token): Path<String>) -> Response {
    let hash = Sha256::digest(&token).into();
    match services.backend.calendar(hash).await {
        Ok(Some(view)) => {
            let headers = [
                (CONTENT_TYPE, "text/calendar; charset=utf-8"),
                (CACHE_CONTROL, "private, max-age=300"),
            ];
            (headers, feed(&view)).into_response()
        }
        Ok(None) => reply::no_such_path().into_response(),
        Err(refusal) => Refused::from(refusal).into_response(),
    }
}

fn shown(view: KeptCalendarView, feed: Option<String>) -> body::Calendar {
    body::Calendar {
        added_at: times::iso(view.added_at),
        added_by: view.added_by,
        app: view.app.map(|app| app.to_string()),
        feed,
        id: view.id,
    }
}
