//! The preflight of a database, made while one waits for it; and as it stands with a maintenance.

use axum::extract::{Path, State};
use upkeep_api::body::{Preflight, PreflightAction, PreflightCheck, PreflightVerdict, Waived};
use upkeep_domain::preflight::{Action, Judged, Report, Verdict, Waiver};

use crate::find;
use crate::reply::{self, Reply};
use crate::request::Params;
use crate::router::Services;

pub(super) async fn make(
    State(services): State<Services>,
    Path(database): Path<String>,
    params: Params,
) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let (release, method) = (params.text("release"), params.text("method"));
    let report = services.backend.preflight(database.id, release, method);
    let report = report.await?;
    Ok(reply::ok(&shown(&report)))
}

/// Those of the latest maintenance, the first one first.
pub(super) async fn kept(State(services): State<Services>, Path(database): Path<String>) -> Reply {
    let database = find::database(&*services.backend, &database, None).await?;
    let maintenance = services.backend.maintenance(database.id).await?;
    let reports: Vec<Preflight> = maintenance.preflight.iter().map(shown).collect();
    Ok(reply::ok(&reports))
}

fn shown(report: &Report) -> Preflight {
    Preflight {
        actions: report.actions.iter().map(shown_action).collect(),
        checks: report.checks.iter().map(shown_check).collect(),
        release_after: report.release_after.clone(),
        release_before: report.release_before.clone(),
        run: report.run.as_str().to_owned(),
        verdict: shown_verdict(report.verdict()),
    }
}

fn shown_check(judged: &Judged) -> PreflightCheck {
    let waived = |waiver: &Waiver| Waived {
        because: waiver.because.clone(),
        by: waiver.by.clone(),
    };
    PreflightCheck {
        name: judged.check.to_string(),
        seen: judged.seen.clone(),
        todo: judged.todo.clone(),
        verdict: shown_verdict(judged.verdict),
        waived: judged.waived.as_ref().map(waived),
    }
}

fn shown_action(action: &Action) -> PreflightAction {
    PreflightAction {
        because: action.because.clone(),
        command: action.command.clone(),
        minor: action.minor.to_string(),
        notes: action.notes.clone(),
        object: action.object.clone(),
    }
}

fn shown_verdict(verdict: Verdict) -> PreflightVerdict {
    match verdict {
        Verdict::Pass => PreflightVerdict::Pass,
        Verdict::Warning => PreflightVerdict::Warning,
        Verdict::Blocked => PreflightVerdict::Blocked,
    }
}
