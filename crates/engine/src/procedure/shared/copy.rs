//! A copy of a running server, which follows it.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::{
    BackupProgress, InstanceSettings, Observation, ProcessState, ReplayHeldBack,
};
use upkeep_domain::release::ReleaseName;
use upkeep_store::Change;

use crate::procedure::slot_of;
use crate::workflow::{Done, Failure, Visit};

/// How often something that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Below that the database itself would soon have no room to write: what is made for it goes first.
const ROOM_KEPT_BYTES: u64 = 64 << 20;
/// It has caught up when it is no further behind.
const LAG_BYTES_MAX: u64 = 4 << 20;

#[derive(Clone, Copy)]
pub(crate) struct Copy {
    pub(crate) host: HostId,
    pub(crate) source: InstanceId,
    pub(crate) follower: InstanceId,
}

/// What a copy is for.
#[derive(Clone, Copy)]
pub(crate) enum CopyFor {
    /// It may be promoted in its source's place.
    TakingOver,
    /// It stays a follower, in the place of that one if there is one: with what people have set there.
    Following { in_place_of: Option<InstanceId> },
}

impl Copy {
    /// A copy is somewhat larger than its source: WAL written meanwhile.
    pub(crate) const ROOM_FACTOR: f64 = 1.2;

    pub(crate) async fn base_backup(
        self,
        visit: &Visit<'_>,
        release: &ReleaseName,
        settings: &InstanceSettings,
        copy_for: CopyFor,
    ) -> Result<Done, Failure> {
        let source = visit.observe_patiently(self.host, self.source).await?;
        let source_address = source
            .address
            .ok_or_else(|| Failure::Failed("the primary has no address".to_owned()))?;
        let begin = HostCommand::BaseBackup {
            instance: self.follower,
            release: release.clone(),
            settings: settings.clone(),
            source: self.source,
            source_address,
            slot: slot_of(self.follower),
            takes_over: matches!(copy_for, CopyFor::TakingOver),
            set_like: match copy_for {
                CopyFor::TakingOver => None,
                CopyFor::Following { in_place_of } => in_place_of,
            },
        };
        visit.command(self.host, 0, begin).await?;
        loop {
            let seen = visit.observe_patiently(self.host, self.follower).await?;
            need_room(&seen)?;
            match seen.backup {
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
                    visit.waiting("for the base backup", detail).await?;
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(crate) async fn start(self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let instance = self.follower;
        visit
            .command(self.host, 0, HostCommand::StartInstance { instance })
            .await?;
        Ok(Done::new())
    }

    pub(crate) async fn catch_up(self, visit: &Visit<'_>) -> Result<Done, Failure> {
        loop {
            let source = visit.observe_patiently(self.host, self.source).await?;
            let copy = visit.observe_patiently(self.host, self.follower).await?;
            need_room(&copy)?;
            if copy.process != ProcessState::Running {
                return Err(Failure::Failed("the copy has stopped".to_owned()));
            }
            let lag = lag_bytes(&source, &copy);
            if copy.streaming == Some(true) && lag.is_some_and(|lag| lag <= LAG_BYTES_MAX) {
                return Ok(Done::new().detail(json!({ "bytes_behind": lag })));
            }
            let detail = json!({ "bytes_behind": lag });
            let why = copy.replay_held_back.map(|why| format!("; {why}"));
            let sentence = format!("for the copy to catch up{}", why.unwrap_or_default());
            visit.waiting(sentence, detail).await?;
            sleep(LOOK_EVERY).await;
        }
    }

    /// With everything that was made for it. `part` and the one behind it name the commands.
    ///
    /// The slot first: as long as the copy is there it is known, and so is what was made for it.
    pub(crate) async fn discard(self, visit: &Visit<'_>, part: u8) -> Result<Change, Failure> {
        let drop = HostCommand::DropSlot {
            instance: self.source,
            slot: slot_of(self.follower),
        };
        visit.command(self.host, part, drop).await?;
        let remove = HostCommand::RemoveInstance {
            instance: self.follower,
        };
        visit.command(self.host, part + 1, remove).await?;
        Ok(Change::DeleteInstance { id: self.follower })
    }
}

pub(super) fn need_room(seen: &Observation) -> Result<(), Failure> {
    match seen.free_bytes {
        Some(free) if free < ROOM_KEPT_BYTES => Err(Failure::Final(format!(
            "the copy was given up before the database runs out of room: {} MB are free on its host",
            free >> 20
        ))),
        _ => Ok(()),
    }
}

/// What the copy has yet to replay, or to receive if somebody wants it to replay later; `None` when it is
/// not known.
fn lag_bytes(source: &Observation, copy: &Observation) -> Option<u64> {
    let has = match copy.replay_held_back {
        Some(ReplayHeldBack::Delayed) => copy.flushed_lsn,
        Some(ReplayHeldBack::Paused) | None => copy.replayed_lsn,
    };
    Some(has?.bytes_behind(source.flushed_lsn?))
}
