//! Processes of an app: Upkeep runs none, and clients that ask want a list.

use axum::extract::{Path, State};

use crate::reply::{self, Reply};
use crate::router::Services;

pub(super) async fn nothing(State(services): State<Services>, Path(app): Path<String>) -> Reply {
    services.backend.app(&app).await?;
    Ok(reply::ok(&[(); 0]))
}
