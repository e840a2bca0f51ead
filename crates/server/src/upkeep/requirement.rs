//! Maintenances that people require.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body;
use upkeep_domain::maintenance::Requirement;

use crate::backend::{Account, DatabaseView};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId};
use crate::router::Services;
use crate::{find, times};

pub(super) async fn set(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(account): Extension<Account>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<body::Require>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let required = services
        .backend
        .require(
            database.id,
            &wish.because,
            wish.emergency,
            &account.email,
            request_id.0,
        )
        .await?;
    Ok(reply::created(&shown(&database, required)))
}

pub(super) async fn remove(
    State(services): State<Services>,
    Path(database): Path<String>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let required = services.backend.require_no_more(database.id).await?;
    Ok(reply::ok(&shown(&database, required)))
}

fn shown(database: &DatabaseView, required: Requirement) -> body::Requirement {
    body::Requirement {
        because: required.because,
        by: required.by,
        database: database.name.to_string(),
        emergency: required.emergency,
        since: times::iso(required.since),
    }
}
