//! While clients are held: every millisecond here is felt, so each step asks as little as it can.
//!
//! The order and its proofs: `docs/workflows.md`. Before the promotion is asked for it is proven that
//! the new server has every commit that was acknowledged, and that nobody can make another one on
//! the old primary.

use serde_json::json;
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery, Outcome};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::lsn::{Lsn, TimelineId};

use super::Switch;
use crate::procedure::shared::{hold, seal};
use crate::workflow::{Done, Failure, Visit, unexpected};

/// Rounds of marker and fence before a bypassing writer makes us give up.
const FENCE_ROUNDS_MAX: u32 = 3;
/// How long the standby may take to receive the end of what the old primary wrote.
const RECEIVE_MS: u64 = 500;
/// How long the old primary may take to shut down, at each try.
const STOP_MS: u64 = 2_500;
/// A frozen primary of which nobody speaks is ended after that. Never thawed.
const FROZEN_SILENCE_MS: u64 = 60_000;

/// What a standby follows.
struct History {
    timeline: Option<TimelineId>,
    system_identifier: u64,
}

impl Switch {
    pub(crate) async fn hold(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        hold(visit, &self.dbname).await
    }

    pub(crate) async fn mark(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        if visit.claim.tries > 0 {
            // A second try must not outlive the lease; without a hold there is nothing to go on with.
            visit.traffic().renew(&self.dbname, visit.fence()).await?;
        }
        let marked = visit
            .query(self.host, HostQuery::Mark { instance: self.old })
            .await?;
        let Answer::Marked {
            lsn: marker,
            timeline,
            system_identifier,
        } = marked
        else {
            return Err(unexpected(&marked));
        };
        let new = self.received(visit, marker).await?;
        if system_identifier != new.system_identifier
            || new.timeline.is_some_and(|new| new != timeline)
        {
            return Err(Failure::Final(
                "the new server follows another history than the old primary's".to_owned(),
            ));
        }
        self.seen.marker = Some(marker);
        self.seen.timeline_before = Some(timeline);
        Ok(Done::new().detail(json!({ "marker": marker })))
    }

    /// The standby itself is asked until it has this.
    async fn received(&self, visit: &Visit<'_>, wanted: Lsn) -> Result<History, Failure> {
        let query = HostQuery::Received {
            instance: self.new,
            lsn: wanted,
            wait_ms: RECEIVE_MS,
        };
        match visit.query(self.host, query).await? {
            Answer::Received {
                received: true,
                timeline,
                system_identifier,
                ..
            } => Ok(History {
                timeline,
                system_identifier,
            }),
            Answer::Received { lsn, .. } => {
                let at = lsn.map_or_else(|| "nothing".to_owned(), |lsn| lsn.to_string());
                Err(Failure::Failed(format!(
                    "the standby has received {at}, not {wanted}"
                )))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn seal(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        seal(visit, &self.dbname).await
    }

    pub(crate) async fn fence(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        match self.seen.fence {
            FenceMeans::Freeze => self.freeze_old(visit).await,
            FenceMeans::CleanStop => self.stop_old(visit).await,
        }
    }

    async fn freeze_old(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let marker = self
            .seen
            .marker
            .ok_or_else(|| Failure::Final("there is no marker".to_owned()))?;
        let freeze = HostCommand::Freeze {
            instance: self.old,
            marker,
            silence_ms: FROZEN_SILENCE_MS,
        };
        match visit.command(self.host, 0, freeze).await? {
            Outcome::Fenced { processes, killed } => {
                Ok(Done::new().detail(json!({ "processes": processes, "killed": killed })))
            }
            Outcome::Behind { transactions, end } => {
                self.seen.fence_rounds += 1;
                if self.seen.fence_rounds >= FENCE_ROUNDS_MAX {
                    return Err(Failure::Final(format!(
                        "clients that bypass the endpoint keep committing: {FENCE_ROUNDS_MAX} fences found commits behind the marker"
                    )));
                }
                Ok(Done::again(
                    json!({ "transactions_behind": transactions, "end": end }),
                ))
            }
            Outcome::NotFrozen { sentence } => {
                self.seen.fence = FenceMeans::CleanStop;
                Ok(Done::again(json!({ "not_frozen": sentence })))
            }
            other => Err(unexpected(&other)),
        }
    }

    /// It sends everything to whoever follows it before it ends; whether that arrived is asked there.
    async fn stop_old(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let stop = HostCommand::StopPrimary {
            instance: self.old,
            within_ms: STOP_MS,
        };
        match visit.command(self.host, 0, stop).await? {
            Outcome::ShutDown { checkpoint } => {
                self.received(visit, checkpoint.past()).await?;
                Ok(Done::new().detail(json!({ "checkpoint": checkpoint })))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(crate) async fn unfence(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        self.let_go_on(visit).await?;
        Ok(Done::new())
    }

    pub(crate) async fn disarm(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Disarm { instance: self.old })
            .await?;
        Ok(Done::new())
    }

    pub(crate) async fn promote(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        match visit
            .command(self.host, 0, HostCommand::Promote { instance: self.new })
            .await?
        {
            Outcome::Promoted {
                timeline,
                promote_to_write_ms,
            } => {
                self.seen.timeline_after = Some(timeline);
                Ok(Done::new().detail(
                    json!({ "timeline": timeline, "promote_to_write_ms": promote_to_write_ms }),
                ))
            }
            other => Err(unexpected(&other)),
        }
    }
}
