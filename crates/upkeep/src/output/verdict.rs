//! The verdict of a maintenance: what clients felt, and where the time went.

use upkeep_api::body::{Felt, Maintenance, Outcome, Took};

use super::amounts::millis;
use super::{Pair, render_pairs};

/// What stands at the end of a run, and in its record.
pub fn render_verdict(maintenance: &Maintenance) -> String {
    let ended = match maintenance.outcome {
        Some(Outcome::Succeeded) if maintenance.fell_back.is_some() => {
            "succeeded, but a person has to look"
        }
        Some(Outcome::Succeeded) => "succeeded",
        Some(Outcome::RolledBack) => "rolled back, nothing changed",
        Some(Outcome::Stuck) => "stuck, a person has to look",
        None => "without an outcome",
    };
    let mut pairs = Vec::new();
    pairs.extend(release(maintenance));
    pairs.extend(method(maintenance));
    pairs.extend(
        maintenance
            .outcome_because
            .as_ref()
            .map(|because| Pair::new("Because", because)),
    );
    let fell_back = maintenance.fell_back.as_ref();
    pairs.extend(fell_back.map(|because| Pair::new("Fell back because", because)));
    let settings = settings_of(maintenance);
    if !settings.is_empty() {
        pairs.push(Pair {
            name: "Settings applied".to_owned(),
            values: settings,
        });
    }
    pairs.extend(maintenance.felt.iter().flat_map(felt));
    pairs.extend(took_of(maintenance).map(|took| Pair::new("Took", took)));
    pairs.extend(forecast_of(maintenance).map(|told| Pair::new("Forecast", told)));
    let steps = steps_of(maintenance);
    if !steps.is_empty() {
        pairs.push(Pair {
            name: "Time by step".to_owned(),
            values: steps,
        });
    }
    let heading = format!("=== Maintenance of {}: {ended}", maintenance.addon.name);
    if pairs.is_empty() {
        heading
    } else {
        format!("{heading}\n\n{}", render_pairs(&pairs))
    }
}

fn release(maintenance: &Maintenance) -> Option<Pair> {
    let before = maintenance.release_before.as_ref()?;
    let text = match &maintenance.release_after {
        Some(after) if after != before => match maintenance.outcome {
            Some(Outcome::RolledBack) => format!("{before}, as before; {after} was due"),
            _ => format!("{before} -> {after}"),
        },
        _ => before.clone(),
    };
    Some(Pair::new("Release", text))
}

fn method(maintenance: &Maintenance) -> Option<Pair> {
    let because = maintenance.method_because.as_ref()?;
    let method = maintenance.method.as_ref()?;
    Some(Pair::new("Method", format!("{method}, because {because}")))
}

/// `shared_buffers: 16384 -> 32768`
pub fn settings_of(maintenance: &Maintenance) -> Vec<String> {
    let settings = maintenance.settings_applied.iter();
    let shown = settings.map(|set| format!("{}: {} -> {}", set.name, set.before, set.after));
    shown.collect()
}

/// `preparing 38.2 s, then 2.9 s`
pub fn took_of(maintenance: &Maintenance) -> Option<String> {
    let Took {
        preparing_ms,
        run_ms,
    } = maintenance.took.as_ref()?;
    Some(work(*preparing_ms, *run_ms))
}

/// What was told before it began, of the same.
pub fn forecast_of(maintenance: &Maintenance) -> Option<String> {
    let forecast = maintenance.forecast.as_ref()?;
    let work = work(forecast.preparing_ms, forecast.run_ms);
    let held = forecast.held_ms.map(millis);
    let held = held.map(|held| format!(", clients held {held}"));
    let gap = forecast.write_gap_ms.map(millis);
    let gap = gap.map(|gap| format!(", longest write gap {gap}"));
    let because = &forecast.because;
    let (held, gap) = (held.unwrap_or_default(), gap.unwrap_or_default());
    Some(format!("{work}{held}{gap}; {because}"))
}

fn work(preparing_ms: Option<f64>, run_ms: f64) -> String {
    match preparing_ms.map(millis) {
        Some(preparing) => format!("preparing {preparing}, then {}", millis(run_ms)),
        None => millis(run_ms),
    }
}

fn felt(felt: &Felt) -> Vec<Pair> {
    let gap = felt
        .longest_write_gap_ms
        .map_or_else(|| "too few writes to tell".to_owned(), millis);
    let closed: u32 = felt.sessions_closed.values().sum();
    let mut pairs = vec![
        Pair::new("Longest write gap", gap),
        Pair::new("Clients held", millis(felt.held_ms)),
        Pair::new(
            "Sessions",
            format!(
                "{} held, {} moved, {closed} closed",
                felt.sessions_held, felt.sessions_moved
            ),
        ),
    ];
    for (name, reasons) in [
        ("Closed because", &felt.sessions_closed),
        ("Moved, perhaps without", &felt.sessions_at_risk),
    ] {
        let values = reasons.iter();
        let values = values.map(|(reason, count)| format!("{count} {reason}"));
        pairs.extend((!reasons.is_empty()).then(|| Pair {
            name: name.to_owned(),
            values: values.collect(),
        }));
    }
    pairs.push(Pair::new(
        "Statements failed",
        felt.statements_failed.to_string(),
    ));
    pairs
}

/// `base_backup       4.2 s`, in the order in which the steps ran.
pub fn steps_of(maintenance: &Maintenance) -> Vec<String> {
    let steps = &maintenance.steps_ms.0;
    let width = steps
        .iter()
        .map(|(step, _)| step.len())
        .max()
        .unwrap_or_default();
    steps
        .iter()
        .map(|(step, ms)| format!("{step:width$}  {:>10}", millis(*ms)))
        .collect()
}
