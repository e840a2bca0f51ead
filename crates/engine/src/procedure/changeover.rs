//! The changeover: the replacement is built, the switch puts it in the primary's place, the old
//! primary is retired.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::preflight::{Report, Run as Moment, Waiver, Way};
use upkeep_domain::procedure::changeover::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_store::{Change, InstanceRole};

use super::shared::{Copy, CopyFor, Followers, Switch, await_window, preflight};
use super::slot_of;
use crate::preflight::Subject;
use crate::workflow::{Done, Failure, Run, Visit};

/// A report that is older is made anew before clients are held.
const GROWN_OLD: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changeover {
    /// From the primary to its replacement.
    pub(crate) switch: Switch,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    #[serde(default)]
    pub(crate) followers: Followers,
    #[serde(default)]
    pub(crate) waivers: Vec<Waiver>,
    /// Made by this visit, and not recorded yet.
    #[serde(skip)]
    pub(crate) report: Option<Report>,
}

#[async_trait]
impl Run for Changeover {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        let copy = self.copy();
        let Switch { host, old, new, .. } = self.switch;
        match step {
            Step::Check => self.check(visit).await,
            Step::BaseBackup => {
                copy.base_backup(visit, &self.release, &self.settings, CopyFor::TakingOver)
                    .await
            }
            Step::StartReplacement => copy.start(visit).await,
            Step::CatchUp => self.catch_up(visit).await,
            Step::AwaitWindow => await_window(visit, copy).await,
            Step::PointFollowers => Followers::point(visit, host, new).await,
            Step::Checkpoint => self.switch.checkpoint(visit).await,
            Step::PrepareSessions => self.switch.prepare_sessions(visit).await,
            Step::CheckAgain => self.check_again(visit).await,
            Step::Hold => self.switch.hold(visit).await,
            Step::Mark => self.switch.mark(visit).await,
            Step::Seal => self.switch.seal(visit).await,
            Step::Fence => self.switch.fence(visit).await,
            Step::Unfence => self.switch.unfence(visit).await,
            Step::Disarm => self.switch.disarm(visit).await,
            Step::Promote => self.switch.promote(visit).await,
            Step::Release => self.switch.release(visit).await,
            Step::EndOld => self.switch.end_old(visit).await,
            Step::Prove => {
                let proven = self.switch.prove(visit).await?;
                Ok(proven.with(Change::Retire {
                    id: old,
                    grace: visit.world.retire_grace,
                }))
            }
            Step::ProveFollowers => self.followers.prove(visit, host, new).await,
            Step::CopyFollower => self.followers.copy(visit, new).await,
            Step::StartFollower => self.followers.start(visit, new).await,
            Step::CatchUpFollower => self.followers.catch_up(visit, new).await,
            Step::MoveReaders => self.followers.move_readers(visit, new).await,
            Step::Rearm => self.switch.rearm(visit).await,
            Step::Thaw => self.switch.thaw(visit).await,
            Step::ReleaseOld => self.switch.release_old(visit).await,
            Step::PointBack => Followers::point_back(visit, host, old).await,
            Step::DiscardReplacement => Ok(Done::new().with(copy.discard(visit, 0).await?)),
        }
    }

    fn to_record(&mut self) -> Vec<Change> {
        let report = self.report.take().map(Box::new);
        report
            .map(|report| Change::Preflight { report })
            .into_iter()
            .collect()
    }
}

impl Changeover {
    fn copy(&self) -> Copy {
        Copy {
            host: self.switch.host,
            source: self.switch.old,
            follower: self.switch.new,
        }
    }

    async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.preflight(visit, Moment::Before).await?;
        Ok(Done::new().with(Change::InsertInstance {
            id: self.switch.new,
            database: visit.claim.database,
            host: self.switch.host,
            release: self.release.to_string(),
            role: InstanceRole::Replacement,
        }))
    }

    /// With what was set on the primary while it was copied, which is in no WAL.
    async fn catch_up(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let copy = self.copy();
        copy.catch_up(visit).await?;
        let inherit = HostCommand::PatchStandby {
            instance: copy.follower,
            release: self.release.clone(),
        };
        visit.command(copy.host, 0, inherit).await?;
        copy.catch_up(visit).await
    }

    /// The copy may have taken hours, and so may a long transaction take minutes: what was checked
    /// is checked again.
    async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.switch.wait_for_slots(visit).await?;
        self.preflight(visit, Moment::BeforeHold).await?;
        let began = Instant::now();
        let done = self.switch.check_again(visit).await?;
        self.switch.inherit_settings(visit, &self.release).await?;
        if began.elapsed() > GROWN_OLD {
            self.preflight(visit, Moment::BeforeHold).await?;
        }
        Ok(done)
    }

    async fn preflight(&mut self, visit: &Visit<'_>, moment: Moment) -> Result<(), Failure> {
        let slot = slot_of(self.switch.new);
        let subject = Subject {
            run: moment,
            way: Way::CHANGEOVER,
            primary: self.switch.old,
            starts_as: self.switch.old,
            dbname: self.switch.server_dbname(),
            target: &self.release,
            settings: &self.settings,
            own_slot: Some(&slot),
            prepared: self.switch.prepared(),
            successor: (moment == Moment::BeforeHold).then_some(self.switch.new),
            waivers: &self.waivers,
        };
        preflight(visit, self.switch.host, &subject, &mut self.report).await?;
        Ok(())
    }
}
