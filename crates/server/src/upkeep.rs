//! What Heroku has no word for: the events of a database, what would stand in the way of its
//! maintenance, calling one off, times without any, calendars, what people are told, and the PostgreSQL releases
//! there are.

mod calendars;
mod cancel;
mod events;
mod fleet;
mod freezes;
mod notices;
mod preflight;
mod recipients;
mod releases;
mod requirement;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};
use upkeep_api::paths;

use crate::router::Services;

/// Of a calendar as JSON has it.
const CALENDAR_BYTES_MAX: usize = 1024 * 1024;

/// For whoever knows the way.
pub(crate) fn open_routes() -> Router<Services> {
    Router::new().route(paths::CALENDAR_FEED, get(calendars::read))
}

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route(paths::CALENDARS, get(calendars::list).post(calendars::add))
        .route(paths::CALENDAR, delete(calendars::remove))
        .route(paths::CANCEL, post(cancel::cancel))
        .route(paths::EVENTS, get(events::list))
        .route(paths::FLEET, get(fleet::list))
        .route(paths::FREEZES, get(freezes::list).post(freezes::add))
        .route(
            paths::FREEZES_IMPORT,
            post(freezes::import).layer(DefaultBodyLimit::max(CALENDAR_BYTES_MAX)),
        )
        .route(paths::FREEZE, delete(freezes::remove))
        .route(paths::NOTICES, get(notices::list))
        .route(paths::NOTICE, get(notices::show))
        .route(paths::NOTICE_RETRY, post(notices::retry))
        .route(paths::PREFLIGHT, get(preflight::make))
        .route(paths::PREFLIGHTS, get(preflight::kept))
        .route(
            paths::RECIPIENTS,
            get(recipients::list).post(recipients::add),
        )
        .route(paths::RECIPIENT, delete(recipients::remove))
        .route(paths::RECIPIENT_TRIAL, post(recipients::trial))
        .route(
            paths::REQUIREMENT,
            post(requirement::set).delete(requirement::remove),
        )
        .route(paths::RELEASES, get(releases::list).post(releases::add))
        .route(paths::RELEASE, get(releases::show).delete(releases::remove))
}
