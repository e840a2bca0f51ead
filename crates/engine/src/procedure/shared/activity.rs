//! What goes on inside the primary, and what of it forbids a promotion.

use upkeep_domain::host_command::{Activity, Answer, HostQuery};
use upkeep_domain::id::{HostId, InstanceId};

use crate::workflow::{Failure, Visit, unexpected};

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

/// What a promotion would silently take away.
///
/// <https://www.postgresql.org/docs/current/sql-createtable.html> (UNLOGGED),
/// <https://www.postgresql.org/docs/current/logicaldecoding-explanation.html> (slots)
pub(crate) fn refuse_losses(activity: &Activity) -> Result<(), Failure> {
    if !activity.logical_slots.is_empty() {
        let slots = activity.logical_slots.join(", ");
        return Err(Failure::Final(format!(
            "logical replication slots would be lost: {slots}"
        )));
    }
    if !activity.unlogged_relations.is_empty() {
        let relations = activity.unlogged_relations.join(", ");
        return Err(Failure::Final(format!(
            "unlogged tables would be emptied: {relations} (make them permanent with ALTER TABLE ... SET LOGGED, or empty them)"
        )));
    }
    Ok(())
}
