//! What Heroku has no word for: the events of a database, what would stand in the way of its
//! maintenance, calling one off, times without any, and the PostgreSQL releases there are.

mod cancel;
mod events;
mod fleet;
mod freezes;
mod preflight;
mod releases;

use axum::Router;
use axum::routing::{delete, get, post};
use upkeep_api::paths;

use crate::router::Services;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route(paths::CANCEL, post(cancel::cancel))
        .route(paths::EVENTS, get(events::list))
        .route(paths::FLEET, get(fleet::list))
        .route(paths::FREEZES, get(freezes::list).post(freezes::add))
        .route(paths::FREEZE, delete(freezes::remove))
        .route(paths::PREFLIGHT, get(preflight::make))
        .route(paths::PREFLIGHTS, get(preflight::kept))
        .route(paths::RELEASES, get(releases::list).post(releases::add))
        .route(paths::RELEASE, get(releases::show).delete(releases::remove))
}
