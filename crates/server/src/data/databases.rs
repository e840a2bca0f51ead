//! A database that runs, as `pg:info` wants it.

use axum::extract::{Path, State};
use upkeep_api::body::{Database, DatabasePlan};
use upkeep_domain::refusal::RefusalKind;

use super::info;
use crate::backend::{DatabaseState, InfoView};
use crate::reply::{self, Reply};
use crate::router::Services;
use crate::{find, times};

pub(super) async fn show(State(services): State<Services>, Path(database): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    match services.backend.database_info(database.id).await {
        Ok(info) => Ok(reply::ok(&shown(info))),
        Err(refusal) if refusal.kind == RefusalKind::NotReady => Ok(reply::not_yet()),
        Err(refusal) => Err(refusal.into()),
    }
}

pub(super) async fn unfollow(
    State(services): State<Services>,
    Path(database): Path<String>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    services.backend.unfollow(database.id).await?;
    Ok(reply::accepted(
        &serde_json::json!({ "message": "unfollowing" }),
    ))
}

fn shown(view: InfoView) -> Database {
    Database {
        addon_id: view.database.id.0,
        created_at: times::spelled(view.database.created_at),
        following: view.following.as_ref().map(|leader| leader.url.clone()),
        forked_from: None,
        info: info::entries(&view),
        leader: view.following.map(|leader| leader.name.into()),
        name: view.database.name.into(),
        num_bytes: view.size_bytes,
        num_connections: view.connections,
        num_tables: view.tables,
        plan: DatabasePlan {
            id: 1,
            name: view.database.plan.name,
        },
        postgres_version: Some(view.postgres_version),
        resource_url: view.url,
        waiting: view.database.state == DatabaseState::Provisioning,
    }
}
