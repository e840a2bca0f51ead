//! From rows to what the server shows. Plain translation.

use upkeep_domain::maintenance::forecast::Took;
use upkeep_domain::maintenance::{Status, Window};
use upkeep_domain::name::{AppName, DatabaseName};
use upkeep_domain::notice::delivery::State;
use upkeep_domain::plan::Plans;
use upkeep_domain::procedure::{End, Steps, changeover, failover, restart};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_server::backend::{
    AppRef, AppVersionView, AppView, AttachedView, AttachmentView, DatabaseState as StateView,
    DatabaseView, DeliveryView, EventKind as KindView, EventView, FreezeView, KeptCalendarView,
    MaintenanceView, NoticeView, Progress, RecipientView,
};
use upkeep_store::{
    App, AppVersion, Attachment, Database, DatabaseState, Event, KeptCalendar, KeptDelivery,
    KeptFreeze, KeptNotice, KeptRecipient, Maintenance,
};

/// A row that was valid when it was written and is not now: a defect.
fn defect(what: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Internal,
        format!("our own state holds {what} that this program does not understand"),
    )
}

pub(super) fn app_name(name: &str) -> Result<AppName, Refusal> {
    name.parse().map_err(|_| defect("an app name"))
}

pub(super) fn database_name(name: &str) -> Result<DatabaseName, Refusal> {
    name.parse().map_err(|_| defect("a database name"))
}

pub(super) fn app(app: &App, owner_email: &str) -> Result<AppView, Refusal> {
    Ok(AppView {
        id: app.id,
        name: app_name(&app.name)?,
        maintenance: app.maintenance,
        owner_email: owner_email.to_owned(),
        created_at: app.created_at,
    })
}

pub(super) fn freeze(kept: KeptFreeze) -> Result<FreezeView, Refusal> {
    Ok(FreezeView {
        id: kept.id,
        freeze: kept.freeze,
        app: kept.app.as_deref().map(app_name).transpose()?,
        added_by: kept.added_by,
        added_at: kept.created_at,
    })
}

pub(super) fn calendar(kept: KeptCalendar) -> Result<KeptCalendarView, Refusal> {
    Ok(KeptCalendarView {
        id: kept.id,
        app: kept.app_name.as_deref().map(app_name).transpose()?,
        added_by: kept.added_by,
        added_at: kept.created_at,
    })
}

pub(super) fn notice(kept: KeptNotice) -> NoticeView {
    NoticeView {
        id: kept.id,
        created_at: kept.created_at,
        kind: kept.kind,
        database: kept.database,
        letter: kept.letter,
        deliveries: kept.deliveries.into_iter().map(delivery).collect(),
    }
}

fn delivery(kept: KeptDelivery) -> DeliveryView {
    DeliveryView {
        next_try_at: (kept.state == State::Pending).then_some(kept.next_try_at),
        address: kept.address,
        state: kept.state,
        tries: kept.tries,
        sent_at: kept.sent_at,
        trouble: kept.trouble,
    }
}

/// `secret` of one that is just added.
pub(super) fn recipient(
    kept: KeptRecipient,
    secret: Option<String>,
) -> Result<RecipientView, Refusal> {
    Ok(RecipientView {
        id: kept.id,
        address: kept.listener.address,
        app: kept.app.as_deref().map(app_name).transpose()?,
        added_by: kept.added_by,
        added_at: kept.created_at,
        secret,
    })
}

pub(super) fn database(database: &Database, plans: &Plans) -> Result<DatabaseView, Refusal> {
    let plan = plans.find(&database.plan)?;
    Ok(DatabaseView {
        id: database.id,
        name: database_name(&database.name)?,
        app: AppRef {
            id: database.app_id,
            name: app_name(&database.app_name)?,
        },
        plan: plan.clone(),
        window: Window::of(database.id, plan, database.chosen_window.as_ref()),
        state: match database.state {
            DatabaseState::Provisioning => StateView::Provisioning,
            DatabaseState::Provisioned => StateView::Provisioned,
            DatabaseState::Deprovisioning => StateView::Deprovisioning,
            DatabaseState::Failed => StateView::Failed,
        },
        attachments: database
            .attachments
            .iter()
            .map(attachment)
            .collect::<Result<_, _>>()?,
        created_at: database.created_at,
    })
}

fn attachment(row: &Attachment) -> Result<AttachmentView, Refusal> {
    Ok(AttachmentView {
        id: row.id,
        app: AppRef {
            id: row.app_id,
            name: app_name(&row.app_name)?,
        },
        name: row.name.clone(),
    })
}

pub(super) fn attached(row: &Attachment, database: DatabaseView) -> Result<AttachedView, Refusal> {
    Ok(AttachedView {
        attachment: attachment(row)?,
        database,
    })
}

pub(super) fn app_version(row: AppVersion) -> AppVersionView {
    AppVersionView {
        id: row.id,
        version: u64::from(row.version),
        description: row.description,
        created_at: row.created_at,
    }
}

pub(super) fn maintenance(
    row: &Maintenance,
    database: DatabaseView,
    now: Option<&Event>,
) -> Result<MaintenanceView, Refusal> {
    let running = row.started_at.is_some() && row.outcome.is_none();
    let now = now.filter(|_| running);
    let window = match row.started_at {
        Some(_) => row.window_then.clone(),
        None => database.window.as_ref().map(Window::to_string),
    };
    Ok(MaintenanceView {
        id: Some(row.id),
        status: status(&row.status)?,
        method: Some(row.method.clone()),
        method_because: row.method_because.clone(),
        reason: Some(row.reason.clone()),
        reason_because: row.reason_because.clone(),
        previously_scheduled_for: row.previously_scheduled_for,
        scheduled_for: row.scheduled_for,
        schedule_note: row.schedule_note.clone(),
        required_by: row.required_by,
        server_created_at: Some(row.created_at),
        begun_by: row.begun_by.clone(),
        started_at: row.started_at,
        completed_at: row.completed_at,
        release_before: Some(row.release_before.clone()),
        release_after: Some(row.release_after.clone()),
        step: now.map(|event| event.step.clone()),
        waiting_for: match row.started_at {
            None => row.sentence.clone(),
            Some(_) => now
                .filter(|event| event.kind == "waiting")
                .map(|event| event.sentence.clone()),
        },
        outcome: row.outcome.as_deref().map(end).transpose()?,
        outcome_because: row.sentence.clone().filter(|_| row.started_at.is_some()),
        forecast: row.forecast.clone(),
        felt: row.felt.clone(),
        settings_applied: row.settings_applied.clone(),
        steps_ms: steps_in_order(row),
        took: row.steps_ms.as_ref().map(Took::of),
        preflight: row.preflight.clone(),
        window,
        ..MaintenanceView::none(database)
    })
}

fn status(text: &str) -> Result<Status, Refusal> {
    use Status::*;
    [None, Pending, Preparing, Ready, Running, Completed]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or_else(|| defect("a maintenance status"))
}

fn end(text: &str) -> Result<End, Refusal> {
    [End::Succeeded, End::RolledBack, End::Stuck]
        .into_iter()
        .find(|end| end.to_string() == text)
        .ok_or_else(|| defect("an outcome"))
}

/// JSON objects have no order; the table of the procedure has.
fn steps_in_order(row: &Maintenance) -> Vec<(String, f64)> {
    let Some(steps) = &row.steps_ms else {
        return Vec::new();
    };
    let names = match row.method.as_str() {
        restart::Step::PROCEDURE => names_of::<restart::Step>(),
        failover::Step::PROCEDURE => names_of::<failover::Step>(),
        _ => names_of::<changeover::Step>(),
    };
    let timed = |name: &'static str| steps.get(name).map(|ms| (name.to_owned(), *ms));
    names.into_iter().filter_map(timed).collect()
}

fn names_of<S: Steps>() -> Vec<&'static str> {
    S::ALL.iter().map(|step| step.spec().name).collect()
}

pub(super) fn event(event: &Event) -> EventView {
    let bytes = |key: &str| event.detail.get(key).and_then(serde_json::Value::as_u64);
    EventView {
        id: event.id,
        at: event.at,
        workflow: event.workflow_id,
        procedure: event.procedure.clone(),
        step: Some(event.step.clone()),
        kind: kind(event),
        sentence: event.sentence.clone(),
        elapsed_ms: event.detail.get("ms").and_then(serde_json::Value::as_f64),
        progress: bytes("bytes_done").map(|done_bytes| Progress {
            done_bytes,
            total_bytes: bytes("bytes_total"),
        }),
        detail: event.detail.clone(),
    }
}

fn kind(event: &Event) -> KindView {
    match event.kind.as_str() {
        "started" => KindView::Began,
        "waiting" if event.detail.get("bytes_done").is_some() => KindView::Progress,
        "waiting" => KindView::Waiting,
        "done" => KindView::Done,
        "again" => KindView::Again,
        "failed" => KindView::Failed,
        "ended" => KindView::Ended,
        _ => KindView::Note,
    }
}
