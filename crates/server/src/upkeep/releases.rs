//! PostgreSQL releases: added, listed, removed.

use axum::extract::{Path, State};
use jiff::Timestamp;
use serde_json::json;
use upkeep_api::body;
use upkeep_domain::refusal::Refusal;
use upkeep_domain::release::{AddFrom, AddRelease, Release, ReleaseName, Source};

use crate::reply::{self, Reply};
use crate::request::Json;
use crate::router::Services;
use crate::times;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let releases: Vec<_> = services
        .backend
        .releases()
        .await?
        .into_iter()
        .map(shown)
        .collect();
    Ok(reply::ok(&releases))
}

pub(super) async fn show(State(services): State<Services>, Path(name): Path<String>) -> Reply {
    Ok(reply::ok(&shown(services.backend.release(&name).await?)))
}

pub(super) async fn add(
    State(services): State<Services>,
    Json(wish): Json<body::AddRelease>,
) -> Reply {
    let name = wish.name.map(ReleaseName::try_from).transpose();
    let wish = AddRelease {
        name: name.map_err(|error| Refusal::invalid(error.to_string()))?,
        from: from(wish.from),
    };
    Ok(reply::created(&shown(
        services.backend.add_release(wish).await?,
    )))
}

pub(super) async fn remove(State(services): State<Services>, Path(name): Path<String>) -> Reply {
    services.backend.remove_release(&name).await?;
    Ok(reply::ok(&json!({})))
}

fn from(from: body::AddFrom) -> AddFrom {
    match from {
        body::AddFrom::System { dir } => AddFrom::System { dir: dir.into() },
        body::AddFrom::Debian { version } => AddFrom::Debian { version },
        body::AddFrom::Archive { path, root, sha256 } => AddFrom::Archive {
            path: path.into(),
            sha256,
            root: root.map(Into::into),
        },
    }
}

fn shown(release: Release) -> body::Release {
    let added = i64::try_from(release.added_ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    body::Release {
        added_at: times::iso(added.unwrap_or_default()),
        bin_dir: release.bin_dir.display().to_string(),
        extensions: release.extensions.into_iter().collect(),
        icu: release.icu,
        name: release.name.into(),
        programs: release.programs.into_iter().collect(),
        source: shown_source(&release.source),
        tls: release.tls,
        version: release.version.to_string(),
    }
}

fn shown_source(source: &Source) -> String {
    match source {
        Source::System { dir } => format!("installed in {}", dir.display()),
        Source::Debian {
            package,
            package_version,
        } => format!("Debian package {package} {package_version}"),
        Source::Archive { file_name, .. } => format!("archive {file_name}"),
    }
}
