//! Whether one has to wait for a database.

use axum::extract::{Path, State};
use upkeep_api::body::WaitStatus;

use crate::backend::DatabaseState;
use crate::find;
use crate::reply::{self, Reply};
use crate::router::Services;

pub(super) async fn show(State(services): State<Services>, Path(database): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let (message, waiting, error) = match database.state {
        DatabaseState::Provisioning => ("preparing", true, false),
        DatabaseState::Provisioned if services.backend.is_unfollowing(database.id).await? => {
            ("unfollowing", true, false)
        }
        DatabaseState::Provisioned => ("available", false, false),
        DatabaseState::Deprovisioning => ("being destroyed", false, true),
        DatabaseState::Deprovisioned => ("destroyed", false, true),
        DatabaseState::Failed => ("could not be provisioned", false, true),
    };
    Ok(reply::ok(&WaitStatus {
        error,
        message: message.to_owned(),
        step: None,
        waiting,
    }))
}
