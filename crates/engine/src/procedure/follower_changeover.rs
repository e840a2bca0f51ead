//! The changeover of a follower: another one is built in its place, and its readers are moved there.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::{InstanceSettings, ProcessState};
use upkeep_domain::preflight::{Report, Run as Moment, Waiver, Way};
use upkeep_domain::procedure::follower_changeover::Step;
use upkeep_domain::release::ReleaseName;
use upkeep_domain::route::Target;
use upkeep_domain::standby::stands_ready;
use upkeep_store::{Change, InstanceRole};

use super::shared::{
    Copy, CopyFor, hold, let_everybody_go, overtake, preflight, prepare, serving,
    wait_for_long_transactions, with_felt,
};
use super::slot_of;
use crate::preflight::Subject;
use crate::workflow::{Done, Failure, Run, Visit};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FollowerChangeover {
    pub(crate) leader: DatabaseId,
    pub(crate) host: HostId,
    /// What clients call it.
    pub(crate) dbname: String,
    /// What it is called on its server.
    pub(crate) server_dbname: String,
    pub(crate) new: InstanceId,
    pub(crate) release: ReleaseName,
    pub(crate) settings: InstanceSettings,
    #[serde(default)]
    pub(crate) waivers: Vec<Waiver>,
    /// Made by this visit, and not recorded yet.
    #[serde(skip)]
    pub(crate) report: Option<Report>,
    #[serde(default)]
    pub(crate) seen: Seen,
}

/// What the steps found out on their way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The leader's primary, and the instance that readers are on: known when it is this work's turn.
    pair: Option<Pair>,
    /// The old one works with what people have set there, which goes along.
    #[serde(default)]
    keeps_settings: bool,
    /// The replacement as the endpoint knows it.
    target: Option<Target>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Pair {
    source: InstanceId,
    old: InstanceId,
}

#[async_trait]
impl Run for FollowerChangeover {
    type Step = Step;

    async fn visit(&mut self, step: Step, visit: &Visit<'_>) -> Result<Done, Failure> {
        match step {
            Step::Check => self.check(visit).await,
            Step::BaseBackup => {
                let copy_for = self.copy_for()?;
                let copy = self.copy()?;
                copy.base_backup(visit, &self.release, &self.settings, copy_for)
                    .await
            }
            Step::StartReplacement => self.copy()?.start(visit).await,
            Step::CatchUp => self.copy()?.catch_up(visit).await,
            Step::PrepareSessions => self.prepare_sessions(visit).await,
            Step::Hold => hold(visit, &self.dbname).await,
            Step::Overtake => {
                let old = self.pair()?.old;
                overtake(visit, self.copy()?, old).await
            }
            Step::Release => self.release(visit).await,
            Step::EndOld => self.end_old(visit).await,
            Step::Prove => self.prove(visit).await,
            Step::ReleaseOld => {
                let_everybody_go(visit, &self.dbname, &ReleaseOnto::Same).await?;
                Ok(Done::new())
            }
            Step::DiscardReplacement => Ok(Done::new().with(self.copy()?.discard(visit, 0).await?)),
        }
    }

    fn to_record(&mut self) -> Vec<Change> {
        let report = self.report.take().map(Box::new);
        let record = report.map(|report| Change::Preflight { report });
        record.into_iter().collect()
    }
}

impl FollowerChangeover {
    fn pair(&self) -> Result<Pair, Failure> {
        self.seen
            .pair
            .ok_or_else(|| Failure::Failed("leader and follower are not known".to_owned()))
    }

    fn copy(&self) -> Result<Copy, Failure> {
        Ok(Copy {
            host: self.host,
            source: self.pair()?.source,
            follower: self.new,
        })
    }

    fn copy_for(&self) -> Result<CopyFor, Failure> {
        let old = self.pair()?.old;
        let in_place_of = self.seen.keeps_settings.then_some(old);
        Ok(CopyFor::Following { in_place_of })
    }

    fn target(&self) -> Result<Target, Failure> {
        let target = self.seen.target.clone();
        target.ok_or_else(|| Failure::Failed("the replacement was never prepared".to_owned()))
    }

    async fn check(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let source = serving(visit, self.leader).await?.id;
        let old = serving(visit, visit.claim.database).await?.id;
        self.seen.pair = Some(Pair { source, old });
        let seen = visit.observe(self.host, old).await?;
        // What does not run may not run because of them.
        self.seen.keeps_settings = seen.process == ProcessState::Running;
        if seen.in_recovery == Some(false) {
            return Err(Failure::Final(
                "it takes writes of its own: somebody has promoted it".to_owned(),
            ));
        }
        let slot = slot_of(self.new);
        let subject = Subject {
            run: Moment::Before,
            way: Way::FOLLOWER,
            primary: source,
            starts_as: if seen.accepts_connections {
                old
            } else {
                source
            },
            dbname: &self.server_dbname,
            target: &self.release,
            settings: &self.settings,
            own_slot: Some(&slot),
            prepared: None,
            successor: None,
            waivers: &self.waivers,
        };
        preflight(visit, self.host, &subject, &mut self.report).await?;
        let detail = json!({ "keeps_its_own_settings": self.seen.keeps_settings });
        Ok(Done::new().detail(detail).with(Change::InsertInstance {
            id: self.new,
            database: visit.claim.database,
            host: self.host,
            release: self.release.to_string(),
            role: InstanceRole::Replacement,
        }))
    }

    async fn prepare_sessions(&mut self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = self.pair()?.old;
        if visit
            .observe_patiently(self.host, old)
            .await?
            .accepts_connections
        {
            wait_for_long_transactions(visit, self.host, old, &self.server_dbname).await?;
        }
        let (new, prepared) = prepare(visit, self.host, &self.dbname, self.new).await?;
        self.seen.target = Some(new);
        Ok(Done::new().detail(json!(prepared)))
    }

    async fn release(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let onto = ReleaseOnto::Replacement {
            target: self.target()?,
        };
        visit
            .traffic()
            .release(&self.dbname, visit.fence(), &onto)
            .await?;
        Ok(Done::new().with(Change::PointReaders {
            database: visit.claim.database,
            follower: self.new,
            follows: self.pair()?.source,
        }))
    }

    /// Its data is its leader's: there is nothing in it to be kept for a while.
    async fn end_old(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let old = Copy {
            follower: self.pair()?.old,
            ..self.copy()?
        };
        Ok(Done::new().with(old.discard(visit, 0).await?))
    }

    async fn prove(&self, visit: &Visit<'_>) -> Result<Done, Failure> {
        let leader = visit.observe(self.host, self.pair()?.source).await?;
        let follower = visit.observe(self.host, self.new).await?;
        if !stands_ready(&leader, &follower) {
            return Err(Failure::Failed(
                "the replacement does not follow its leader".to_owned(),
            ));
        }
        with_felt(visit, &self.dbname, Done::new()).await
    }
}
