//! Who is told: listed, added, removed, tried out.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body;
use upkeep_domain::notice::Address;
use upkeep_domain::refusal::Refusal;

use crate::backend::{Account, RecipientView};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId, numbered};
use crate::router::Services;
use crate::times;

pub(super) async fn list(State(services): State<Services>) -> Reply {
    let recipients = services.backend.recipients().await?;
    let recipients: Vec<_> = recipients.into_iter().map(shown).collect();
    Ok(reply::ok(&recipients))
}

pub(super) async fn add(
    State(services): State<Services>,
    Extension(account): Extension<Account>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<body::AddRecipient>,
) -> Reply {
    let app = match &wish.app {
        Some(app) => Some(services.backend.app(app).await?.id),
        None => None,
    };
    let address = Address::typed(&wish.address)?;
    let added = services
        .backend
        .add_recipient(address, app, &account.email, request_id.0)
        .await?;
    Ok(reply::created(&shown(added)))
}

pub(super) async fn remove(State(services): State<Services>, Path(id): Path<String>) -> Reply {
    let removed = services.backend.remove_recipient(number(&id)?).await?;
    Ok(reply::ok(&shown(removed)))
}

pub(super) async fn trial(
    State(services): State<Services>,
    Extension(account): Extension<Account>,
    Path(id): Path<String>,
) -> Reply {
    let tried = services
        .backend
        .try_recipient(number(&id)?, &account.email)
        .await?;
    Ok(reply::ok(&shown(tried)))
}

fn number(id: &str) -> Result<i64, Refusal> {
    numbered(id, "a recipient", "upkeep recipients")
}

fn shown(view: RecipientView) -> body::NoticeRecipient {
    let kind = match view.address {
        Address::Mail(_) => "mail",
        Address::Hook(_) => "webhook",
    };
    body::NoticeRecipient {
        added_at: times::iso(view.added_at),
        added_by: view.added_by,
        address: view.address.as_str().to_owned(),
        app: view.app.map(|app| app.to_string()),
        id: view.id,
        kind: kind.to_owned(),
        secret: view.secret,
    }
}
