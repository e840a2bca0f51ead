//! Heroku's data API: maintenances, and databases as they run.

mod databases;
mod info;
pub(crate) mod maintenances;
mod wait_status;
mod windows;

use axum::Router;
use axum::routing::{get, post, put};
use upkeep_api::paths;

use crate::router::Services;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route(paths::APP_MAINTENANCES, get(maintenances::of_app))
        .route(paths::MAINTENANCE, get(maintenances::show))
        .route(paths::HISTORY, get(maintenances::history))
        .route(paths::HISTORY_BARE, get(maintenances::history))
        .route(paths::RUN, post(maintenances::run))
        .route(paths::WINDOW, get(windows::show).post(windows::update))
        .route(paths::SCHEDULE, post(windows::schedule))
        .route(paths::DATABASE, get(databases::show))
        .route(paths::UNFOLLOW, put(databases::unfollow))
        .route(paths::WAIT_STATUS, get(wait_status::show))
}
