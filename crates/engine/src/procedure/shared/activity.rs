//! What goes on inside the primary.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::host_command::{Activity, Answer, HostQuery};
use upkeep_domain::id::{HostId, InstanceId};

use crate::workflow::{Failure, Visit, unexpected};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A hold is not begun while a client's transaction is older.
const TRANSACTION_AGE_MAX: Duration = Duration::from_secs(1);
/// What a step needs to end before its deadline, so that the reason is told and not just the time.
const IN_TIME: Duration = Duration::from_secs(2);

pub(crate) async fn activity(
    visit: &Visit<'_>,
    host: HostId,
    instance: InstanceId,
    dbname: &str,
) -> Result<Activity, Failure> {
    let query = HostQuery::Activity {
        instance,
        dbname: dbname.to_owned(),
    };
    match visit.query_patiently(host, query).await? {
        Answer::Activity { activity } => Ok(activity),
        other => Err(unexpected(&other)),
    }
}

/// Until no transaction is so old that it would delay a hold.
pub(crate) async fn wait_for_long_transactions(
    visit: &Visit<'_>,
    host: HostId,
    instance: InstanceId,
    dbname: &str,
) -> Result<(), Failure> {
    loop {
        let activity = activity(visit, host, instance, dbname).await?;
        let age = Duration::from_millis(activity.oldest_transaction_ms.unwrap_or(0));
        if age <= TRANSACTION_AGE_MAX {
            return Ok(());
        }
        let who = activity.oldest_transaction.as_deref().unwrap_or("a client");
        if visit.time_left() <= IN_TIME {
            return Err(Failure::Final(format!(
                "a transaction of {who} has been open for {} s",
                age.as_secs()
            )));
        }
        let detail = json!({ "transaction_ms": age.as_millis() as u64, "who": who });
        visit
            .waiting(
                format!("for a transaction of {who}, open for {} s", age.as_secs()),
                detail,
            )
            .await?;
        sleep(LOOK_EVERY).await;
    }
}
