//! Before the hold: the last things that clients do not feel.

use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::host_command::HostCommand;
use upkeep_domain::instance::{FenceMeans, ReplayHeldBack};
use upkeep_domain::release::ReleaseName;

use super::Switch;
use crate::preflight::failover_slots;
use crate::procedure::shared::{Copy, Patiently, prepare, wait_for_long_transactions};
use crate::workflow::{Done, Failure, Visit};

/// The worker that synchronises slots looks every 30 s when nothing happens.
const SLOTS_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Switch {
    /// Twice on the old one: the second has next to nothing left to write.
    pub(crate) async fn checkpoint(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        for (part, instance, times) in [(0, self.old, 2), (1, self.new, 1)] {
            let checkpoint = HostCommand::Checkpoint { instance, times };
            visit.command(self.host, part, checkpoint).await?;
        }
        Ok(Done::new())
    }

    pub(crate) async fn prepare_sessions(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let (new, prepared) = prepare(visit, self.host, &self.dbname, self.new).await?;
        self.seen.target = Some(new);
        let detail = json!(prepared);
        self.seen.prepared = Some(prepared);
        Ok(Done::new().detail(detail))
    }

    /// Until the new server could go on with every logical slot that is to go along. One that does not come in
    /// time is for the preflight to judge.
    pub(crate) async fn wait_for_slots(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        let host = Patiently {
            visit,
            host: self.host,
        };
        let until = Instant::now() + SLOTS_WITHIN;
        loop {
            let wanted = failover_slots(&host, self.old).await?;
            let there = failover_slots(&host, self.new).await?;
            let late: Vec<_> = wanted.difference(&there).collect();
            if late.is_empty() || Instant::now() >= until {
                return Ok(());
            }
            let detail = json!({ "slots": late });
            visit
                .waiting("for logical slots to be synchronised", detail)
                .await?;
            sleep(LOOK_EVERY).await;
        }
    }

    /// What people have set on the old primary since the new one took it over: it is in no WAL, and a promotion
    /// would undo it. True if the new one was started anew for it.
    pub(crate) async fn inherit_settings(
        &mut self,
        visit: &Visit<'_>,
        release: &ReleaseName,
    ) -> Result<bool, Failure> {
        let before = visit.observe_patiently(self.host, self.new).await?.run;
        let inherit = HostCommand::PatchStandby {
            instance: self.new,
            release: release.clone(),
        };
        visit.command(self.host, 1, inherit).await?;
        let after = visit.observe_patiently(self.host, self.new).await?.run;
        if after == before {
            return Ok(false);
        }
        self.copy().catch_up(visit).await?;
        self.prepare_sessions(visit).await?;
        Ok(true)
    }

    async fn refuse_delayed(&self, visit: &Visit<'_>) -> Result<(), Failure> {
        let seen = visit.observe_patiently(self.host, self.new).await?;
        match seen.replay_held_back {
            Some(ReplayHeldBack::Delayed) => Err(Failure::Final(
                "the server that would take over replays late, by recovery_min_apply_delay, and clients would wait for it: set that to 0 on it, or take it out of the configuration"
                    .to_owned(),
            )),
            Some(ReplayHeldBack::Paused) | None => Ok(()),
        }
    }

    fn copy(&self) -> Copy {
        Copy {
            host: self.host,
            source: self.old,
            follower: self.new,
        }
    }

    pub(crate) async fn check_again(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        // Received is not replayed: what is left would be replayed under the hold.
        self.copy().catch_up(visit).await?;
        self.refuse_delayed(visit).await?;
        wait_for_long_transactions(visit, self.host, self.old, self.server_dbname()).await?;
        self.seen.fence = visit.observe_patiently(self.host, self.old).await?.fence;
        if self.seen.fence == FenceMeans::CleanStop {
            // Whatever is dirty is written while clients wait: let it be next to nothing.
            let checkpoint = HostCommand::Checkpoint {
                instance: self.old,
                times: 1,
            };
            visit.command(self.host, 0, checkpoint).await?;
        }
        Ok(Done::new().detail(json!({ "fence": self.seen.fence })))
    }
}
