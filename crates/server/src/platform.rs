//! Heroku's platform API: apps, and databases as their add-ons.

mod account;
mod addons;
mod apps;
mod attachments;
mod config_vars;
mod formation;
mod plans;
mod versions;

use axum::Router;
use axum::routing::{get, post};
use upkeep_api::paths;

use crate::router::Services;

pub(crate) fn routes() -> Router<Services> {
    Router::new()
        .route(paths::ACCOUNT, get(account::show))
        .route(paths::APPS, get(apps::list).post(apps::create))
        .route(paths::OWN_APPS, get(apps::list))
        .route(paths::APP, get(apps::show).patch(apps::change))
        .route(paths::CONFIG_VARS, get(config_vars::list))
        .route(paths::APP_RELEASES, get(versions::list))
        .route(paths::APP_RELEASE, get(versions::show))
        .route(paths::FORMATION, get(formation::nothing))
        .route(paths::DYNOS, get(formation::nothing))
        .route(paths::COLLABORATORS, get(formation::nothing))
        .route(paths::APP_ADDONS, get(addons::of_app).post(addons::create))
        .route(
            paths::APP_ADDON,
            get(addons::show_of_app).delete(addons::destroy),
        )
        .route(paths::PLANS, get(plans::list))
        .route(paths::ADDONS, get(addons::all))
        .route(paths::ADDON, get(addons::show))
        .route(paths::RESOLVE_ADDON, post(addons::resolve))
        .route(paths::APP_ATTACHMENTS, get(attachments::of_app))
        .route(paths::APP_ATTACHMENT, get(attachments::show_of_app))
        .route(paths::ADDON_ATTACHMENTS, get(attachments::of_addon))
        .route(
            paths::ATTACHMENTS,
            get(attachments::all).post(attachments::create),
        )
        .route(
            paths::ATTACHMENT,
            get(attachments::show).delete(attachments::remove),
        )
        .route(paths::RESOLVE_ATTACHMENT, post(attachments::resolve))
}
