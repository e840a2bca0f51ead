//! While clients are held: every millisecond here is felt, so each step asks as little as it can.

use serde_json::json;
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::host_command::{HostCommand, Outcome};
use upkeep_domain::route::Target;
use upkeep_store::Change;

use super::Restart;
use crate::procedure::shared::let_everybody_go;
use crate::workflow::{Done, Failure, Visit, unexpected};

impl Restart {
    pub(super) async fn stop(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let stop = HostCommand::StopBriefly {
            instance: self.instance,
        };
        let stopped = visit.command(self.host, 0, stop).await;
        let stopped = stopped.map_err(|failure| match failure {
            // Only the first refusal proves that nobody has asked the server to stop.
            Failure::Final(sentence) if visit.claim.tries > 0 => Failure::Failed(sentence),
            failure => failure,
        });
        match stopped? {
            Outcome::Stopped {
                stop_ms,
                not_waited_for,
            } => {
                Ok(Done::new()
                    .detail(json!({ "stop_ms": stop_ms, "not_waited_for": not_waited_for })))
            }
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn start(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let start = HostCommand::StartAgain {
            instance: self.instance,
            release: self.release.clone(),
        };
        match visit.command(self.host, 0, start).await? {
            Outcome::StartedAgain {
                observation,
                fell_back,
                start_to_write_ms,
            } => {
                let release = observation.release.clone();
                let mut done = Done::new()
                    .detail(json!({ "start_to_write_ms": start_to_write_ms, "release": release }));
                if let Some(release) = release {
                    done = done.with(Change::SetRelease {
                        id: self.instance,
                        release: release.to_string(),
                    });
                }
                Ok(done.remark(fell_back))
            }
            Outcome::NotStarted { sentence } => Err(Failure::Final(sentence)),
            other => Err(unexpected(&other)),
        }
    }

    pub(super) async fn release(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        if visit.claim.tries > 0 {
            // It may have died since, and while this runs no sweep sees to it.
            let start = HostCommand::StartInstance {
                instance: self.instance,
            };
            visit.command(self.host, 0, start).await?;
        }
        let onto = ReleaseOnto::Replacement {
            target: self.same_server()?,
        };
        visit
            .traffic()
            .release(&self.dbname, visit.fence(), &onto)
            .await?;
        Ok(Done::new().with(Change::Point {
            primary: self.instance,
        }))
    }

    /// All there is to undo: nobody has asked the server to stop. If it died meanwhile, it is started
    /// again, and whoever is held is given a session there.
    pub(super) async fn go_on(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let thaw = HostCommand::Thaw {
            instance: self.instance,
        };
        let thawed = visit.command(self.host, 0, thaw).await?;
        self.seen.died |= matches!(thawed, Outcome::Started { .. });
        if self.seen.died {
            let target = self.same_server()?;
            let anew = ReleaseOnto::Replacement { target };
            let_everybody_go(visit, &self.dbname, &anew).await?;
        }
        let_everybody_go(visit, &self.dbname, &ReleaseOnto::Same).await?;
        Ok(Done::new())
    }

    /// As it was before the stop; `check` has put it down.
    pub(super) fn same_server(&self) -> Result<Target, Failure> {
        self.seen
            .target
            .clone()
            .ok_or_else(|| Failure::Failed("the server was never looked at".to_owned()))
    }
}
