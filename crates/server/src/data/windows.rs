//! The window of a database, and the week of a maintenance that is planned.

use axum::Extension;
use axum::extract::{Path, State};
use upkeep_api::body::{Schedule, Scheduled, UpdateWindow, Window};
use upkeep_domain::maintenance::schedule::Week;
use upkeep_domain::refusal::Refusal;

use crate::backend::{self, SetWindow, WindowView};
use crate::reply::{self, Reply};
use crate::request::{Json, RequestId};
use crate::router::Services;
use crate::{find, times};

pub(super) async fn show(State(services): State<Services>, Path(database): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let window = services.backend.window(database.id).await?;
    Ok(reply::ok(&shown(&window)))
}

pub(super) async fn update(
    State(services): State<Services>,
    Path(database): Path<String>,
    Json(wish): Json<UpdateWindow>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let wish = SetWindow {
        database: database.id,
        day: wish.day_of_week,
        time: wish.time_of_day,
        zone: wish.time_zone,
    };
    let window = services.backend.set_window(wish).await?;
    Ok(reply::ok(&shown(&window)))
}

pub(super) async fn schedule(
    State(services): State<Services>,
    Path(database): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Json(wish): Json<Schedule>,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let wish = backend::Schedule {
        database: database.id,
        week: week(&wish)?,
        request_id: request_id.0,
    };
    let scheduled = services.backend.schedule(wish).await?;
    Ok(reply::ok(&Scheduled {
        previously_scheduled_for: scheduled.previously_scheduled_for.map(times::spelled),
        required_by: scheduled.required_by.map(times::spelled),
        scheduled_for: scheduled.scheduled_for.map(times::spelled),
        window: Some(scheduled.window.to_string()),
    }))
}

fn week(wish: &Schedule) -> Result<Week, Refusal> {
    match (&wish.delay_weeks, &wish.week) {
        (Some(weeks), None) => Week::later(weeks),
        (None, Some(date)) => Week::of(date),
        (None, None) | (Some(_), Some(_)) => {
            Err(Refusal::invalid("say either `delay_weeks` or `week`"))
        }
    }
}

fn shown(view: &WindowView) -> Window {
    Window {
        previous_window: view.previous.as_ref().map(ToString::to_string),
        previously_scheduled_at: view.previously_scheduled_for.map(times::spelled),
        scheduled_at: view.scheduled_for.map(times::spelled),
        window: Some(view.window.to_string()),
    }
}
