//! The plans of the one add-on service there is.

use axum::extract::{Path, State};
use upkeep_api::body::{self, Price};
use upkeep_domain::plan::{Plan, SERVICE};
use upkeep_domain::refusal::Refusal;

use super::addons::plan_name;
use crate::reply::{self, Reply};
use crate::router::Services;

pub(super) async fn list(State(services): State<Services>, Path(service): Path<String>) -> Reply {
    if service != SERVICE {
        let sentence = format!("there is no add-on service `{}`", service.escape_default());
        return Err(Refusal::not_found(sentence)
            .with_hint(format!("the one there is: {SERVICE}"))
            .into());
    }
    let plans = services.backend.plans().await?;
    let shown: Vec<_> = plans.into_iter().map(shown).collect();
    Ok(reply::ok(&shown))
}

fn shown(plan: Plan) -> body::Plan {
    body::Plan {
        connections: plan.connections,
        description: plan.description,
        disk_gb: plan.disk_gb,
        effective_cache_size_mb: plan.effective_cache_size_mb,
        followers: plan.followers,
        high_availability: plan.high_availability,
        human_name: plan.title,
        name: plan_name(&plan.name),
        price: Price::none(),
        shared_buffers_mb: plan.shared_buffers_mb,
        window: plan.window,
        work_mem_mb: plan.work_mem_mb,
    }
}
