//! `plans`: what databases can be on.

use serde_json::json;
use upkeep_api::body::Plan;
use upkeep_api::client::Client;
use upkeep_domain::plan::{DEFAULTS, SERVICE};

use crate::exit::{Exit, Failure};
use crate::output::{Output, render_table};

/// The built-in table as it may be copied and changed; no server is asked for it.
pub(super) fn defaults(out: &mut Output) -> Exit {
    out.result(&json!({ "plans": DEFAULTS }), |_| {
        DEFAULTS.trim_end().to_owned()
    });
    Exit::Done
}

pub(super) async fn list(client: &Client, out: &mut Output) -> Result<Exit, Failure> {
    let plans = client.plans(SERVICE).await?;
    out.result(&plans, |plans| render_plans(plans));
    Ok(Exit::Done)
}

pub(crate) fn render_plans(plans: &[Plan]) -> String {
    let yes = |holds: bool| Some(if holds { "yes" } else { "no" }.to_owned());
    let row = |plan: &Plan| {
        vec![
            Some(plan.name.clone()),
            Some(plan.description.clone()),
            Some(plan.connections.to_string()),
            Some(format!("{} MB", plan.shared_buffers_mb)),
            Some(format!("{} GB", plan.disk_gb)),
            yes(plan.high_availability),
            yes(plan.followers),
            yes(plan.window),
        ]
    };
    let rows: Vec<_> = plans.iter().map(row).collect();
    let columns = [
        "Plan",
        "Description",
        "Connections",
        "Shared buffers",
        "Disk",
        "HA",
        "Followers",
        "Window",
    ];
    render_table(&columns, &rows)
}
