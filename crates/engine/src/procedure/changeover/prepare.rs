//! Before the hold: nothing of this is felt by clients, and all of it can be thrown away.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::{BackupProgress, Observation, ProcessState};
use upkeep_store::{Change, InstanceRole};

use super::Changeover;
use crate::procedure::shared::{Switch, activity, refuse_losses};
use crate::procedure::{need_room, releases};
use crate::workflow::{Done, Failure, Visit};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A copy is somewhat larger than its source: WAL written meanwhile.
const ROOM_FACTOR: f64 = 1.2;
/// Until then the replacement has not caught up.
const LAG_BYTES_MAX: u64 = 4 << 20;

impl Changeover {
    pub(super) async fn check(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = visit.observe(self.switch.host, self.switch.old).await?;
        if old.process != ProcessState::Running || old.in_recovery != Some(false) {
            return Err(Failure::Final(
                "the database's own server does not run as a primary".to_owned(),
            ));
        }
        if !releases(visit, self.switch.host)
            .await?
            .iter()
            .any(|release| release.name == self.release)
        {
            return Err(Failure::Final(format!(
                "the release `{}` is not in the store any more",
                self.release
            )));
        }
        need_room(visit, self.switch.host, self.switch.old, ROOM_FACTOR).await?;
        let Switch { host, old, .. } = self.switch;
        let activity = activity(visit, host, old, &self.switch.dbname).await?;
        refuse_losses(&activity)?;
        Ok(Done::new()
            .with(Change::InsertInstance {
                id: self.switch.new,
                host: self.switch.host,
                release: self.release.to_string(),
                role: InstanceRole::Replacement,
            })
            .detail(json!({
                "bypassing_sessions": activity.bypassing_sessions,
                "prepared_transactions": activity.prepared_transactions,
            })))
    }

    pub(super) async fn base_backup(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = visit
            .observe_patiently(self.switch.host, self.switch.old)
            .await?;
        let source_address = old
            .address
            .ok_or_else(|| Failure::Failed("the old primary has no address".to_owned()))?;
        visit
            .command(
                self.switch.host,
                0,
                HostCommand::BaseBackup {
                    instance: self.switch.new,
                    release: self.release.clone(),
                    settings: self.settings.clone(),
                    source: self.switch.old,
                    source_address,
                    slot: self.slot.clone(),
                },
            )
            .await?;
        loop {
            match visit
                .observe_patiently(self.switch.host, self.switch.new)
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
                self.switch.host,
                0,
                HostCommand::StartInstance {
                    instance: self.switch.new,
                },
            )
            .await?;
        Ok(Done::new())
    }

    pub(super) async fn catch_up(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        loop {
            let old = visit
                .observe_patiently(self.switch.host, self.switch.old)
                .await?;
            let new = visit
                .observe_patiently(self.switch.host, self.switch.new)
                .await?;
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
}

/// What the replacement has yet to replay; `None` when it is not known.
fn lag_bytes(old: &Observation, new: &Observation) -> Option<u64> {
    Some(new.replayed_lsn?.bytes_behind(old.flushed_lsn?))
}
