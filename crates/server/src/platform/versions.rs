//! Versions of an app's configuration, which Heroku calls releases of the app.

use axum::extract::{Path, State};
use upkeep_api::body::{AppRelease, Email};
use upkeep_domain::refusal::Refusal;

use crate::backend::AppVersionView;
use crate::reply::{self, Reply};
use crate::request::Paging;
use crate::router::Services;
use crate::times;

pub(super) async fn list(
    State(services): State<Services>,
    Path(app): Path<String>,
    paging: Paging,
) -> Reply {
    Ok(reply::ok(&paging.of(newest_first(&services, &app).await?)))
}

/// By number, `v`number or id.
pub(super) async fn show(
    State(services): State<Services>,
    Path((app, wanted)): Path<(String, String)>,
) -> Reply {
    let number = wanted
        .strip_prefix('v')
        .unwrap_or(&wanted)
        .parse::<u64>()
        .ok();
    let id = wanted.parse().ok();
    let found = newest_first(&services, &app)
        .await?
        .into_iter()
        .find(|release| Some(release.version) == number || Some(release.id) == id);
    let release = found.ok_or_else(|| Refusal::not_found("Couldn't find that release."))?;
    Ok(reply::ok(&release))
}

async fn newest_first(services: &Services, app: &str) -> Result<Vec<AppRelease>, Refusal> {
    let app = services.backend.app(app).await?;
    let versions = services.backend.app_versions(app.id).await?;
    let newest = versions.iter().map(|version| version.version).max();
    Ok(versions
        .into_iter()
        .map(|version| shown(version, newest, &app.owner_email))
        .collect())
}

fn shown(version: AppVersionView, newest: Option<u64>, email: &str) -> AppRelease {
    AppRelease {
        created_at: times::iso(version.created_at),
        current: Some(version.version) == newest,
        description: version.description,
        id: version.id,
        status: "succeeded".to_owned(),
        user: Email {
            email: email.to_owned(),
        },
        version: version.version,
    }
}
