//! Maintenances as tables and lists, as Heroku's command line shows them.

use serde_json::Value;
use upkeep_api::body::{Maintenance, Outcome, Status};

use super::preflight;
use crate::output::{
    Pair, forecast_of, render_pairs, render_table, settings_of, steps_of, took_of,
};

/// Keys that are shown in their own way, or not at all.
const NOT_PLAIN: [&str; 8] = [
    "addon",
    "app",
    "felt",
    "forecast",
    "preflight",
    "settings_applied",
    "steps_ms",
    "took",
];

pub(crate) fn render_list(maintenances: &[Maintenance]) -> String {
    let row = |maintenance: &Maintenance| {
        let addon = &maintenance.addon;
        let pending = |at: &Option<String>| {
            at.clone()
                .filter(|_| maintenance.status != Status::Completed)
        };
        vec![
            Some(addon.name.clone()),
            Some(addon.attachments.join(", ")),
            addon.window.clone(),
            Some(maintenance.status.to_string()),
            pending(&maintenance.required_by),
            pending(&maintenance.scheduled_for),
        ]
    };
    let rows: Vec<_> = maintenances.iter().map(row).collect();
    render_table(
        &[
            "Addon",
            "Attachments",
            "Scheduling Window",
            "Status",
            "Required by",
            "Scheduled for",
        ],
        &rows,
    )
}

pub(crate) fn render_history(maintenances: &[Maintenance]) -> String {
    let row = |maintenance: &Maintenance| {
        let felt = maintenance.felt.as_ref();
        vec![
            maintenance.started_at.clone(),
            maintenance.completed_at.clone(),
            maintenance
                .duration_seconds
                .map(|seconds| seconds.to_string()),
            maintenance.reason.clone(),
            maintenance.method.clone(),
            outcome(maintenance),
            maintenance
                .release_after
                .clone()
                .filter(|_| maintenance.outcome == Some(Outcome::Succeeded)),
            felt.and_then(|felt| felt.longest_write_gap_ms)
                .map(|ms| format!("{ms:.1}")),
            maintenance
                .forecast
                .as_ref()
                .and_then(|forecast| forecast.write_gap_ms)
                .map(|ms| format!("{ms:.1}")),
            felt.map(|felt| felt.statements_failed.to_string()),
        ]
    };
    let rows: Vec<_> = maintenances.iter().map(row).collect();
    let headings = [
        "Started at",
        "Completed at",
        "Duration (seconds)",
        "Reason",
        "Method",
        "Outcome",
        "Release",
        "Longest write gap (ms)",
        "Forecast (ms)",
        "Statements failed",
    ];
    render_table(&headings, &rows)
}

fn outcome(maintenance: &Maintenance) -> Option<String> {
    let outcome = maintenance.outcome?.to_string();
    Some(match maintenance.fell_back {
        Some(_) => format!("{outcome}, fell back"),
        None => outcome,
    })
}

/// Every key that is not null, in the order of the contract, then the app's and the database's.
pub(crate) fn render_info(maintenance: &Maintenance) -> String {
    let Ok(Value::Object(plain)) = serde_json::to_value(maintenance) else {
        unreachable!("a maintenance is a JSON object")
    };
    let mut pairs: Vec<_> = plain
        .iter()
        .filter(|(key, value)| !value.is_null() && !NOT_PLAIN.contains(&key.as_str()))
        .map(|(key, value)| Pair::new(key, text(value)))
        .collect();
    if let Some(Value::Object(felt)) = plain.get("felt") {
        let known = felt.iter().filter(|(_, value)| !value.is_null());
        pairs.extend(known.map(|(key, value)| Pair::new(format!("felt_{key}"), text(value))));
    }
    pairs.extend(forecast_of(maintenance).map(|told| Pair::new("forecast", told)));
    pairs.extend(took_of(maintenance).map(|took| Pair::new("took", took)));
    pairs.extend(preflight::summary(maintenance));
    pairs.push(Pair {
        name: "settings_applied".to_owned(),
        values: settings_of(maintenance),
    });
    pairs.push(Pair {
        name: "steps".to_owned(),
        values: steps_of(maintenance),
    });
    pairs.push(Pair::new("app_name", &maintenance.app.name));
    let addon = &maintenance.addon;
    pairs.push(Pair {
        name: "addon_attachments".to_owned(),
        values: addon.attachments.clone(),
    });
    pairs.push(Pair::new("addon_description", &addon.description));
    pairs.push(Pair::new("addon_kind", &addon.kind));
    pairs.push(Pair::new("addon_name", &addon.name));
    pairs.push(Pair::new("addon_plan", &addon.plan));
    pairs.extend(
        addon
            .window
            .as_ref()
            .map(|window| Pair::new("addon_window", window)),
    );
    render_pairs(&pairs)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) if map.is_empty() => "none".to_owned(),
        other => other.to_string(),
    }
}
