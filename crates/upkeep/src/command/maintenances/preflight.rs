//! `data:maintenances:preflight`: what would stand in the way, as people read it.

use upkeep_api::body::{Maintenance, Preflight, PreflightAction, PreflightCheck, PreflightVerdict};
use upkeep_api::client::Client;

use crate::cli::MaintenancePreflight;
use crate::command::find;
use crate::exit::{Exit, Failure};
use crate::output::{Output, Pair, render_pairs, render_table};

pub(crate) async fn preflight(
    client: &Client,
    args: MaintenancePreflight,
    out: &mut Output,
) -> Result<Exit, Failure> {
    let addon = find::database(client, &args.database, args.app.app.as_deref()).await?;
    let doing = format!("Looking at {}", addon.name);
    let (release, method) = (args.release.as_deref(), args.method.as_deref());
    let asked = client.preflight(addon.id, release, method);
    let report = out.doing(&doing, asked).await?;
    out.result(&report, render_preflight);
    Ok(match report.verdict {
        PreflightVerdict::Blocked => Exit::NotDone,
        PreflightVerdict::Pass | PreflightVerdict::Warning => Exit::Done,
    })
}

pub(crate) fn render_preflight(report: &Preflight) -> String {
    let row = |check: &PreflightCheck| {
        vec![
            Some(check.name.clone()),
            Some(verdict(check).to_owned()),
            Some(check.seen.clone()),
        ]
    };
    let rows: Vec<_> = report.checks.iter().map(row).collect();
    let releases = format!("{} -> {}", report.release_before, report.release_after);
    let mut parts = vec![
        format!("=== Preflight, {releases}: {}", overall(report)),
        render_table(&["Check", "Verdict", "Seen"], &rows),
    ];
    let todo: Vec<Pair> = report.checks.iter().filter_map(todo).collect();
    if !todo.is_empty() {
        parts.push(format!("To do\n{}", render_pairs(&todo)));
    }
    if !report.actions.is_empty() {
        let actions: Vec<Pair> = report.actions.iter().map(action).collect();
        let heading = "Because of skipped minor releases, on the new release";
        parts.push(format!("{heading}\n{}", render_pairs(&actions)));
    }
    parts.join("\n\n")
}

/// A line for the record of a maintenance.
pub(super) fn summary(maintenance: &Maintenance) -> Option<Pair> {
    let values: Vec<String> = maintenance
        .preflight
        .iter()
        .map(|report| format!("{}: {}", report.run.replace('_', " the "), overall(report)))
        .collect();
    (!values.is_empty()).then(|| Pair {
        name: "preflight".to_owned(),
        values,
    })
}

fn overall(report: &Preflight) -> String {
    let named = |wanted: PreflightVerdict| -> Vec<&str> {
        let checks = report.checks.iter();
        let checks = checks.filter(|check| check.verdict == wanted);
        checks.map(|check| check.name.as_str()).collect()
    };
    let blocked = named(PreflightVerdict::Blocked);
    let warnings = named(PreflightVerdict::Warning);
    let mut parts = Vec::new();
    if !blocked.is_empty() {
        parts.push(format!("blocked by {}", blocked.join(", ")));
    }
    if !warnings.is_empty() {
        parts.push(format!("warnings of {}", warnings.join(", ")));
    }
    if parts.is_empty() {
        "nothing stands in the way".to_owned()
    } else {
        parts.join("; ")
    }
}

fn verdict(check: &PreflightCheck) -> &'static str {
    match check.verdict {
        PreflightVerdict::Pass => "pass",
        PreflightVerdict::Warning if check.waived.is_some() => "waived",
        PreflightVerdict::Warning => "warning",
        PreflightVerdict::Blocked => "blocked",
    }
}

fn todo(check: &PreflightCheck) -> Option<Pair> {
    let waived = check
        .waived
        .as_ref()
        .map(|waived| format!("waived by {}: {}", waived.by, waived.because));
    let said = waived.or_else(|| check.todo.clone())?;
    Some(Pair::new(&check.name, said))
}

fn action(action: &PreflightAction) -> Pair {
    Pair {
        name: action.minor.clone(),
        values: vec![
            format!("{}: {}", action.object, action.because),
            action.command.clone(),
            action.notes.clone(),
        ],
    }
}
