//! While clients are held: every millisecond here is felt, so each step asks as little as it can.
//!
//! The order and its proofs: `docs/workflows.md`. Before the promotion is asked for it is proven that
//! the replacement has every commit that was acknowledged, and that nobody can make another one on
//! the old primary.

use serde_json::json;
use upkeep_domain::hold::HoldReply;
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery, Outcome};
use upkeep_domain::procedure::changeover::FENCE_ROUNDS_MAX;
use upkeep_domain::route::Target;

use super::Changeover;
use crate::workflow::{Done, Failure, Visit, unexpected};

/// How long the replacement may take to receive the marker.
const RECEIVE_MS: u64 = 500;
/// A frozen primary of which nobody speaks is ended after that. Never thawed.
const FROZEN_SILENCE_MS: u64 = 60_000;

impl Changeover {
    pub(super) async fn hold(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        match visit
            .traffic()
            .hold(&self.dbname, visit.fence(), &visit.world.hold_limits)
            .await?
        {
            HoldReply::Held {
                sessions,
                drained_ms,
            } => Ok(Done::new().detail(json!({ "sessions": sessions, "drained_ms": drained_ms }))),
            HoldReply::Blocked { blockers } => {
                let who: Vec<_> = blockers
                    .iter()
                    .map(|b| {
                        format!(
                            "{} (pid {}, {}, {} ms)",
                            b.role, b.backend_pid, b.state, b.busy_ms
                        )
                    })
                    .collect();
                Err(Failure::Failed(format!(
                    "sessions did not reach a transaction boundary: {}",
                    who.join("; ")
                )))
            }
        }
    }

    pub(super) async fn mark(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
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
        let received = visit
            .query(
                self.host,
                HostQuery::Received {
                    instance: self.replacement,
                    lsn: marker,
                    wait_ms: RECEIVE_MS,
                },
            )
            .await?;
        let Answer::Received {
            received,
            lsn,
            timeline: new_timeline,
            system_identifier: new_system,
        } = received
        else {
            return Err(unexpected(&received));
        };
        if system_identifier != new_system || new_timeline.is_some_and(|new| new != timeline) {
            return Err(Failure::Final(
                "the replacement follows another history than the old primary's".to_owned(),
            ));
        }
        if !received {
            let at = lsn.map_or_else(|| "nothing".to_owned(), |lsn| lsn.to_string());
            return Err(Failure::Failed(format!(
                "the replacement has received {at}, not the marker {marker}"
            )));
        }
        self.seen.marker = Some(marker);
        self.seen.timeline_before = Some(timeline);
        Ok(Done::new().detail(json!({ "marker": marker })))
    }

    pub(super) async fn seal(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit.traffic().seal(&self.dbname, visit.fence()).await?;
        Ok(Done::new())
    }

    pub(super) async fn fence(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
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
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn unfence(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Thaw { instance: self.old })
            .await?;
        Ok(Done::new())
    }

    pub(super) async fn disarm(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        visit
            .command(self.host, 0, HostCommand::Disarm { instance: self.old })
            .await?;
        Ok(Done::new())
    }

    pub(super) async fn promote(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        match visit
            .command(
                self.host,
                0,
                HostCommand::Promote {
                    instance: self.replacement,
                },
            )
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

    /// The replacement as the endpoint knows it; `prepare_sessions` has put it down.
    pub(super) fn replacement_target(&self) -> Result<Target, Failure> {
        self.seen
            .target
            .clone()
            .ok_or_else(|| Failure::Failed("the replacement was never prepared".to_owned()))
    }
}
