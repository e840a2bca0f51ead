//! Config vars: what an app is told about its databases.

use axum::extract::{Path, State};
use upkeep_api::body::ConfigVars;

use crate::reply::{self, Reply};
use crate::router::Services;

pub(super) async fn list(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    let app = services.backend.app(&app).await?;
    let vars: ConfigVars = services
        .backend
        .config_vars(app.id)
        .await?
        .into_iter()
        .collect();
    Ok(reply::ok(&vars))
}
