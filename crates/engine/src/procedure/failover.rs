//! The failover: the standby is patched and watched, the switch puts it in the primary's place, the old
//! primary follows it.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::preflight::{Report, Run as Moment, Waiver, Way};
use upkeep_domain::procedure::failover::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::standby::stands_ready;
use upkeep_store::Change;

use super::shared::{Copy, Followers, Switch, patch_standby, preflight};
use super::slot_of;
use crate::preflight::Subject;
use crate::workflow::{Done, Failure, Run, Visit, unexpected};

const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Commands of a step that are not about pointing followers are numbered from here on.
const BEHIND_POINTING: u8 = 128;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failover {
    /// From the primary to its standby.
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
    /// Which run of the standby's processes is watched.
    #[serde(default)]
    pub(crate) run: Option<String>,
}

#[async_trait]
impl Run for Failover {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Switch { host, old, new, .. } = self.switch;
        match step {
            Step::Check => self.check(visit).await,
            Step::PatchStandby => patch_standby(visit, host, new, &self.release).await,
            Step::CatchUp => self.catch_up(visit).await,
            Step::Soak => self.soak(visit).await,
            Step::PointFollowers => Followers::point(visit, host, new).await,
            Step::Checkpoint => self.switch.checkpoint(visit).await,
            Step::PrepareSessions => self.switch.prepare_sessions(visit).await,
            Step::CheckAgain => {
                self.switch.wait_for_slots(visit).await?;
                let checked = self.switch.check_again(visit).await?;
                self.preflight(visit, Moment::BeforeHold).await?;
                self.need_same_run(visit).await?;
                self.switch.inherit_settings(visit, &self.release).await?;
                Ok(checked)
            }
            Step::Hold => self.switch.hold(visit).await,
            Step::Mark => self.switch.mark(visit).await,
            Step::Seal => self.switch.seal(visit).await,
            Step::Fence => self.switch.fence(visit).await,
            Step::Unfence => self.switch.unfence(visit).await,
            Step::Disarm => self.switch.disarm(visit).await,
            Step::Promote => self.switch.promote(visit).await,
            Step::Release => self.switch.release(visit).await,
            Step::EndOld => self.switch.end_old(visit).await,
            Step::Prove => self.switch.prove(visit).await,
            Step::Rejoin => self.rejoin(visit).await,
            Step::DiscardOld => Ok(Done::new().with(self.back_to_front().discard(visit, 0).await?)),
            Step::ProveFollowers => self.followers.prove(visit, host, new).await,
            Step::CopyFollower => self.followers.copy(visit, new).await,
            Step::StartFollower => self.followers.start(visit, new).await,
            Step::CatchUpFollower => self.followers.catch_up(visit, new).await,
            Step::MoveReaders => self.followers.move_readers(visit, new).await,
            Step::Rearm => self.switch.rearm(visit).await,
            Step::Thaw => self.switch.thaw(visit).await,
            Step::ReleaseOld => self.switch.release_old(visit).await,
            Step::PointBack => {
                let pointed = Followers::point_back(visit, host, old).await?;
                Followers::drop_slots(visit, host, new, BEHIND_POINTING).await?;
                Ok(pointed)
            }
        }
    }

    fn to_record(&mut self) -> Vec<Change> {
        let report = self.report.take().map(Box::new);
        let record = report.map(|report| Change::Preflight { report });
        record.into_iter().collect()
    }
}

impl Failover {
    /// The old primary as the follower of the new one.
    fn back_to_front(&self) -> Copy {
        Copy {
            host: self.switch.host,
            source: self.switch.new,
            follower: self.switch.old,
        }
    }

    async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Switch { host, old, new, .. } = self.switch;
        self.preflight(visit, Moment::Before).await?;
        let primary = visit.observe(host, old).await?;
        let standby = visit.observe(host, new).await?;
        if !stands_ready(&primary, &standby) {
            return Err(Failure::Final(
                "the standby does not stand ready".to_owned(),
            ));
        }
        Ok(Done::new())
    }

    async fn preflight(&mut self, visit: &Visit<'_>, moment: Moment) -> Result<(), Failure> {
        let slot = slot_of(self.switch.new);
        let subject = Subject {
            run: moment,
            way: Way::FAILOVER,
            primary: self.switch.old,
            starts_as: self.switch.new,
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

    async fn catch_up(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Switch { host, old, new, .. } = self.switch;
        let copy = Copy {
            host,
            source: old,
            follower: new,
        };
        let done = copy.catch_up(visit).await?;
        self.run = visit.observe_patiently(host, new).await?.run;
        Ok(done)
    }

    /// A server that does not bear its new release shows it while it replays what clients do.
    async fn soak(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let until = Instant::now() + visit.world.soak;
        loop {
            self.need_same_run(visit).await?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let soak_ms = visit.world.soak.as_millis() as u64;
                return Ok(Done::new().detail(json!({ "soak_ms": soak_ms })));
            }
            let detail = json!({ "left_ms": left.as_millis() as u64 });
            visit
                .waiting("for the standby to prove itself", detail)
                .await?;
            sleep(LOOK_EVERY.min(left)).await;
        }
    }

    /// Nobody is sent to a server that has just restarted itself.
    async fn need_same_run(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        let seen = visit
            .observe_patiently(self.switch.host, self.switch.new)
            .await?;
        if seen.run.is_none() || seen.run != self.run {
            return Err(Failure::Final(format!(
                "the standby restarted itself on release `{}`",
                self.release
            )));
        }
        Ok(())
    }

    async fn rejoin(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let Switch { host, old, new, .. } = self.switch;
        let primary = visit.observe_patiently(host, new).await?;
        let upstream_address = primary
            .address
            .ok_or_else(|| Failure::Failed("the new primary has no address".to_owned()))?;
        let rejoin = HostCommand::Rejoin {
            instance: old,
            release: self.release.clone(),
            settings: self.settings.clone(),
            upstream: new,
            upstream_address,
            slot: slot_of(old),
        };
        let rewound = match visit.command(host, 0, rejoin).await? {
            Outcome::Rejoined { rewound } => rewound,
            other => return Err(unexpected(&other)),
        };
        // What the old primary kept for its standby and followers is kept for nobody now.
        let drop = HostCommand::DropSlot {
            instance: old,
            slot: slot_of(new),
        };
        visit.command(host, 1, drop).await?;
        Followers::drop_slots(visit, host, old, 2).await?;
        self.back_to_front().catch_up(visit).await?;
        Ok(Done::new()
            .with(Change::SetRelease {
                id: old,
                release: self.release.to_string(),
            })
            .with(Change::Register {
                standby: old,
                follows: new,
            })
            .detail(json!({ "rewound": rewound })))
    }
}
