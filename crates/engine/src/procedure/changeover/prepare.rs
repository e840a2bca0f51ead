//! Before the hold: nothing of this is felt by clients, and all of it can be thrown away.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery};
use upkeep_domain::id::HostId;
use upkeep_domain::instance::{BackupProgress, Observation, ProcessState};
use upkeep_domain::preflight::{Run as Moment, Way};
use upkeep_store::{Change, InstanceRole};

use super::Changeover;
use crate::preflight::{Ask, Subject, inspect};
use crate::workflow::{Done, Failure, Visit};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A report that is older is made anew before clients are held.
const GROWN_OLD: Duration = Duration::from_secs(2);
/// Until then the replacement has not caught up.
const LAG_BYTES_MAX: u64 = 4 << 20;

/// An agent that is started again meanwhile is waited for.
struct Patiently<'a> {
    visit: &'a Visit<'a>,
    host: HostId,
}

#[async_trait]
impl Ask for Patiently<'_> {
    async fn ask(&self, query: HostQuery) -> Result<Answer, Failure> {
        self.visit.query_patiently(self.host, query).await
    }
}

impl Changeover {
    pub(super) async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.preflight(visit, Moment::Before).await?;
        Ok(Done::new().with(Change::InsertInstance {
            id: self.switch.new,
            host: self.switch.host,
            release: self.release.to_string(),
            role: InstanceRole::Replacement,
        }))
    }

    /// The copy may have taken hours, and so may a long transaction take minutes: what was checked
    /// is checked again.
    pub(super) async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.preflight(visit, Moment::BeforeHold).await?;
        let began = Instant::now();
        let done = self.switch.check_again(visit).await?;
        if began.elapsed() > GROWN_OLD {
            self.preflight(visit, Moment::BeforeHold).await?;
        }
        Ok(done)
    }

    async fn preflight(&mut self, visit: &Visit<'_>, moment: Moment) -> Result<(), Failure> {
        let subject = Subject {
            run: moment,
            way: Way::CHANGEOVER,
            primary: self.switch.old,
            dbname: &self.switch.dbname,
            target: &self.release,
            settings: &self.settings,
            own_slot: Some(&self.slot),
            prepared: self.switch.prepared(),
            waivers: &self.waivers,
        };
        let host = Patiently {
            visit,
            host: self.switch.host,
        };
        let report = inspect(&host, &subject).await?;
        let blocked = report.blocked();
        self.report = Some(report);
        blocked.map_or(Ok(()), |sentence| Err(Failure::Final(sentence)))
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
