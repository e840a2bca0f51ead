//! What people were told, and what is on its way: listed, shown, sent again.

use axum::extract::{Path, State};
use upkeep_api::body;
use upkeep_domain::notice::{Letter, delivery};

use upkeep_domain::refusal::Refusal;

use crate::backend::{DeliveryView, NoticeView, NoticesWanted};
use crate::reply::{self, Reply};
use crate::request::{Params, numbered};
use crate::router::Services;
use crate::times;

const LIMIT: i64 = 100;
const LIMIT_MAX: i64 = 1000;

pub(super) async fn list(State(services): State<Services>, params: Params) -> Reply {
    let limit = params.number("limit", LIMIT)?;
    if !(1..=LIMIT_MAX).contains(&limit) {
        let sentence = format!("`limit` has to be between 1 and {LIMIT_MAX}, not {limit}");
        return Err(Refusal::invalid(sentence).into());
    }
    let state = params.text("state");
    let state = state.as_deref().map(delivery::State::named).transpose()?;
    let app = match params.text("app") {
        Some(app) => Some(services.backend.app(&app).await?.name),
        None => None,
    };
    let wanted = NoticesWanted {
        app,
        state,
        at_most: limit as u32,
    };
    let mut notices = services.backend.notices(wanted).await?;
    if let Some(state) = &state {
        for notice in &mut notices {
            notice
                .deliveries
                .retain(|delivery| delivery.state == *state);
        }
    }
    let without_text = |view| body::Notice {
        text: None,
        ..shown(view)
    };
    let notices: Vec<_> = notices.into_iter().map(without_text).collect();
    Ok(reply::ok(&notices))
}

pub(super) async fn show(State(services): State<Services>, Path(id): Path<String>) -> Reply {
    Ok(reply::ok(&shown(
        services.backend.notice(number(&id)?).await?,
    )))
}

pub(super) async fn retry(State(services): State<Services>, Path(id): Path<String>) -> Reply {
    let notice = services.backend.retry_notice(number(&id)?).await?;
    Ok(reply::ok(&shown(notice)))
}

fn number(id: &str) -> Result<i64, Refusal> {
    numbered(id, "a notice", "upkeep notices")
}

fn shown(view: NoticeView) -> body::Notice {
    body::Notice {
        created_at: times::iso(view.created_at),
        database: view.database,
        deliveries: view.deliveries.into_iter().map(shown_delivery).collect(),
        id: view.id,
        kind: view.kind,
        subject: view.letter.as_ref().map(|letter| letter.subject.clone()),
        text: view.letter.as_ref().map(Letter::plain),
    }
}

fn shown_delivery(view: DeliveryView) -> body::Delivery {
    body::Delivery {
        address: view.address,
        next_try_at: view.next_try_at.map(times::iso),
        sent_at: view.sent_at.map(times::iso),
        state: view.state.as_str().to_owned(),
        tries: view.tries,
        trouble: view.trouble,
    }
}
