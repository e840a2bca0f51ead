//! Before the hold: nothing of this is felt by clients, and all of it can be thrown away.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::host_command::{Activity, Answer, HostCommand, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{BackupProgress, Observation, ProcessState};
use upkeep_domain::procedure::Steps;
use upkeep_domain::procedure::changeover::Step;
use upkeep_store::{Change, InstanceRole};

use super::Changeover;
use crate::procedure::{need_room, releases, target};
use crate::workflow::{Done, Failure, Visit, unexpected};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A copy is somewhat larger than its source: WAL written meanwhile.
const ROOM_FACTOR: f64 = 1.2;
/// A hold is not begun while a client's transaction is older.
const TRANSACTION_AGE_MAX: Duration = Duration::from_secs(1);
/// Nor while the replacement is further behind.
const LAG_BYTES_MAX: u64 = 4 << 20;

impl Changeover {
    pub(super) async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = visit.observe(self.host, self.old).await?;
        if old.process != ProcessState::Running || old.in_recovery != Some(false) {
            return Err(Failure::Final(
                "the database's own server does not run as a primary".to_owned(),
            ));
        }
        if !releases(visit, self.host)
            .await?
            .iter()
            .any(|release| release.name == self.release)
        {
            return Err(Failure::Final(format!(
                "the release `{}` is not in the store any more",
                self.release
            )));
        }
        need_room(visit, self.host, self.old, ROOM_FACTOR).await?;
        let activity = self.activity(visit, self.old).await?;
        refuse_losses(&activity)?;
        self.seen.timeline_before = old.timeline;
        Ok(Done::new()
            .with(Change::InsertInstance {
                id: self.replacement,
                host: self.host,
                release: self.release.to_string(),
                role: InstanceRole::Replacement,
            })
            .detail(json!({
                "bypassing_sessions": activity.bypassing_sessions,
                "prepared_transactions": activity.prepared_transactions,
            })))
    }

    pub(super) async fn base_backup(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = visit.observe_patiently(self.host, self.old).await?;
        let source_address = old
            .address
            .ok_or_else(|| Failure::Failed("the old primary has no address".to_owned()))?;
        visit
            .command(
                self.host,
                0,
                HostCommand::BaseBackup {
                    instance: self.replacement,
                    release: self.release.clone(),
                    settings: self.settings.clone(),
                    source: self.old,
                    source_address,
                    slot: self.slot.clone(),
                },
            )
            .await?;
        loop {
            match visit
                .observe_patiently(self.host, self.replacement)
                .await?
                .backup
            {
                Some(BackupProgress::Done { bytes }) => {
                    return Ok(Done::new().detail(json!({ "bytes": bytes })));
                }
                Some(BackupProgress::Failed { sentence }) => return Err(Failure::Failed(sentence)),
                None => return Err(Failure::Failed("the copy has vanished".to_owned())),
                Some(BackupProgress::Running {
                    bytes_done,
                    bytes_total,
                }) => {
                    let detail = json!({ "bytes_done": bytes_done, "bytes_total": bytes_total });
                    visit.waiting("for the base backup", detail).await;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(super) async fn start_replacement(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(
                self.host,
                0,
                HostCommand::StartInstance {
                    instance: self.replacement,
                },
            )
            .await?;
        Ok(Done::new())
    }

    pub(super) async fn catch_up(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        loop {
            let old = visit.observe_patiently(self.host, self.old).await?;
            let new = visit.observe_patiently(self.host, self.replacement).await?;
            if new.process != ProcessState::Running {
                return Err(Failure::Failed("the replacement has stopped".to_owned()));
            }
            match lag_bytes(&old, &new) {
                Some(lag) if lag <= LAG_BYTES_MAX && new.streaming == Some(true) => {
                    return Ok(Done::new().detail(json!({ "bytes_behind": lag })));
                }
                lag => {
                    visit
                        .waiting(
                            "for the replacement to catch up",
                            json!({ "bytes_behind": lag }),
                        )
                        .await;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Twice on the old one: the second has next to nothing left to write.
    pub(super) async fn checkpoint(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(
                self.host,
                0,
                HostCommand::Checkpoint {
                    instance: self.old,
                    times: 2,
                },
            )
            .await?;
        visit
            .command(
                self.host,
                1,
                HostCommand::Checkpoint {
                    instance: self.replacement,
                    times: 1,
                },
            )
            .await?;
        Ok(Done::new())
    }

    pub(super) async fn prepare_sessions(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let replacement = target(&visit.observe_patiently(self.host, self.replacement).await?)?;
        let prepared = visit
            .traffic()
            .prepare(&self.dbname, visit.fence(), &replacement)
            .await?;
        self.seen.target = Some(replacement);
        Ok(Done::new().detail(json!(prepared)))
    }

    pub(super) async fn check_again(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        // A little before the driver's own deadline, so that the reason is told and not just the time.
        let until = Instant::now() + Step::CheckAgain.spec().deadline - Duration::from_secs(2);
        loop {
            let activity = self.activity(visit, self.old).await?;
            // The copy may have taken hours: what was checked before it is checked again.
            refuse_losses(&activity)?;
            let age = Duration::from_millis(activity.oldest_transaction_ms.unwrap_or(0));
            if age <= TRANSACTION_AGE_MAX {
                return Ok(Done::new());
            }
            let who = activity.oldest_transaction.as_deref().unwrap_or("a client");
            if Instant::now() >= until {
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
                .await;
            sleep(LOOK_EVERY).await;
        }
    }

    async fn activity(&self, visit: &Visit<'_>, instance: InstanceId) -> Result<Activity, Failure> {
        match visit
            .query_patiently(
                self.host,
                HostQuery::Activity {
                    instance,
                    dbname: self.dbname.clone(),
                },
            )
            .await?
        {
            Answer::Activity { activity } => Ok(activity),
            other => Err(unexpected(&other)),
        }
    }
}

/// What a promotion would silently take away.
///
/// <https://www.postgresql.org/docs/current/sql-createtable.html> (UNLOGGED),
/// <https://www.postgresql.org/docs/current/logicaldecoding-explanation.html> (slots)
fn refuse_losses(activity: &Activity) -> Result<(), Failure> {
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

/// What the replacement has yet to replay; `None` when it is not known.
fn lag_bytes(old: &Observation, new: &Observation) -> Option<u64> {
    Some(new.replayed_lsn?.bytes_behind(old.flushed_lsn?))
}
