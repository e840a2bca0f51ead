//! Calls off the maintenance that runs.

use axum::Extension;
use axum::extract::{Path, State};

use crate::backend::Account;
use crate::data::maintenances;
use crate::find;
use crate::reply::{self, Reply};
use crate::router::Services;

pub(super) async fn cancel(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(account): Extension<Account>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let asked = services.backend.cancel(database.id, &account.email);
    Ok(reply::accepted(&maintenances::shown(asked.await?)))
}
