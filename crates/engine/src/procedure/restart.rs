//! The restart, step by step. `prepare` is unfelt, `stop_and_start` holds clients, `settle` is behind
//! it; what undoes is a single step.

mod prepare;
mod settle;
mod stop_and_start;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::id::{HostId, InstanceId};
use upkeep_domain::instance::InstanceSettings;
use upkeep_domain::lsn::TimelineId;
use upkeep_domain::preflight::{Report, Waiver};
use upkeep_domain::procedure::restart::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::Target;
use upkeep_store::{Change, Database, Instance};

use super::server_dbname;
use super::shared::{hold, seal};
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Restart {
    host: HostId,
    /// What clients call the database.
    dbname: String,
    /// What it is called on its server, where that is another name.
    #[serde(default)]
    server_dbname: Option<String>,
    instance: InstanceId,
    /// The one that it runs on, or a newer minor of it.
    release: ReleaseName,
    settings: InstanceSettings,
    /// Hidden, and ready when this was begun.
    #[serde(default)]
    standby: Option<InstanceId>,
    #[serde(default)]
    waivers: Vec<Waiver>,
    /// Made by this visit, and not recorded yet.
    #[serde(skip)]
    report: Option<Report>,
    #[serde(default)]
    seen: Seen,
}

/// What the steps found out on their way.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    /// The server as the endpoint knows it: it must be the same one afterwards.
    target: Option<Target>,
    timeline: Option<TimelineId>,
    /// Settings that wait for it.
    waiting: Vec<WaitingSetting>,
    /// It died before it was asked to stop, and its sessions with it.
    died: bool,
}

impl Restart {
    pub(crate) fn new(
        database: &Database,
        primary: &Instance,
        standby: Option<&Instance>,
        release: ReleaseName,
        settings: InstanceSettings,
        waivers: Vec<Waiver>,
    ) -> Self {
        Self {
            host: primary.host_id,
            dbname: database.dbname.clone(),
            server_dbname: server_dbname(database),
            instance: primary.id,
            release,
            settings,
            standby: standby.map(|standby| standby.id),
            waivers,
            report: None,
            seen: Seen::default(),
        }
    }

    fn server_dbname(&self) -> &str {
        self.server_dbname.as_deref().unwrap_or(&self.dbname)
    }
}

#[async_trait]
impl Run for Restart {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::PatchStandby => self.patch_standby(visit).await,
            Step::Checkpoint => self.checkpoint(visit).await,
            Step::ReadSessions => self.read_sessions(visit).await,
            Step::CheckAgain => self.check_again(visit).await,
            Step::Hold => hold(visit, &self.dbname).await,
            // As before a fence: once the stop is asked for, clients let go by silence would find nobody.
            Step::Seal => seal(visit, &self.dbname).await,
            Step::Stop => self.stop(visit).await,
            Step::Start => self.start(visit).await,
            Step::Release => self.release(visit).await,
            Step::Prove => self.prove(visit).await,
            Step::GoOn => self.go_on(visit).await,
        }
    }

    fn to_record(&mut self) -> Vec<Change> {
        let report = self.report.take().map(Box::new);
        let record = report.map(|report| Change::Preflight { report });
        record.into_iter().collect()
    }
}
