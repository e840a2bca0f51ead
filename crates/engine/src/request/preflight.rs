//! `data:maintenances:preflight`: what would stand in the way, asked at any time. Looked at also while a
//! maintenance is planned. Changes nothing.

use async_trait::async_trait;
use upkeep_domain::hold::Prepared;
use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::HostId;
use upkeep_domain::maintenance::method::{Cause, Method};
use upkeep_domain::ports::Hosts;
use upkeep_domain::preflight::{Report, Run, Way};
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_domain::release::{Catalogue, ReleaseName};
use upkeep_store::{Database, Instance};

use super::store_refusal;
use crate::Engine;
use crate::preflight::{Ask, Following, Subject, inspect};
use crate::workflow::Failure;

impl Engine {
    /// By the method and for the release that a run of the same words would take. Where nothing is
    /// due, for a restart.
    pub async fn preflight(
        &self,
        database: &Database,
        release: Option<&str>,
        method: Option<&str>,
    ) -> Result<Report, Refusal> {
        self.report(Run::Asked, database, release, method).await
    }

    pub(crate) async fn report(
        &self,
        run: Run,
        database: &Database,
        release: Option<&str>,
        method: Option<&str>,
    ) -> Result<Report, Refusal> {
        let wanted = method.map(Method::named).transpose()?;
        let primary = self.primary(database).await?;
        let catalogue = self.catalogue().await?;
        let target = target(&catalogue, &primary, release, wanted)?;
        let cause = if target.as_str() == primary.release {
            Cause::SameRelease
        } else {
            Cause::NewRelease
        };
        let standby = self.ready_standby(database, &primary).await?;
        let leader = self.leader_if_any(database).await?;
        let leader = leader.as_ref();
        let choice = self.choose_method(database, leader, standby.as_ref(), cause, wanted)?;
        let plan = self.world.plans.find(&database.plan)?;
        let answers = primary.observed.as_ref();
        let answers = answers.is_some_and(|seen| seen.accepts_connections);
        let own = primary.id;
        // A follower is replaced by a copy of its leader, with what people have set on it.
        let (source, settings) = match leader {
            Some(leader) => {
                let leaders = self.world.plans.find(&leader.plan)?;
                (self.primary(leader).await?, plan.settings_beside(leaders))
            }
            None => (primary, plan.settings()),
        };
        let (way, starts_as) = match (choice.method, &standby) {
            _ if leader.is_some() && answers => (Way::FOLLOWER, own),
            _ if leader.is_some() => (Way::FOLLOWER, source.id),
            (Method::Restart, _) => (Way::RESTART, source.id),
            (Method::Failover, Some(standby)) => (Way::FAILOVER, standby.id),
            (Method::Failover, None) | (Method::Changeover, _) => (Way::CHANGEOVER, source.id),
        };
        let prepared = self.read_sessions(database).await?;
        let subject = Subject {
            run,
            way,
            primary: source.id,
            starts_as,
            dbname: &database.server_dbname,
            target: &target,
            settings: &settings,
            own_slot: None,
            prepared: prepared.as_ref(),
            successor: None,
            waivers: &[],
        };
        let host = Asked {
            hosts: self.world.hosts.as_ref(),
            host: source.host_id,
        };
        let followers = self.following(database).await?;
        let inspected = inspect(&host, &subject, &followers).await;
        Ok(inspected.map_err(refusal)?.report)
    }

    /// Unless somebody is at it who has read them: a second reader would take spares away. An endpoint that
    /// does not answer leaves the question open, and is the next run's to find.
    async fn read_sessions(&self, database: &Database) -> Result<Option<Prepared>, Refusal> {
        let worked_on = self.store.is_worked_on(database.id).await;
        if worked_on.map_err(|error| store_refusal(&error))? {
            return Ok(None);
        }
        let read = self.world.traffic.read_sessions(&database.dbname).await;
        let unread = |error| tracing::warn!(%error, "sessions were not read for a preflight");
        Ok(read.map_err(unread).ok())
    }

    async fn following(&self, database: &Database) -> Result<Vec<Following>, Refusal> {
        let followers = self.store.followers(database.id).await;
        let followers = followers.map_err(|error| store_refusal(&error))?;
        let following = followers.into_iter().filter_map(|follower| {
            Some(Following {
                name: follower.name,
                instance: follower.primary_instance?,
            })
        });
        Ok(following.collect())
    }
}

/// Asked once: who waits is a person.
struct Asked<'a> {
    hosts: &'a dyn Hosts,
    host: HostId,
}

#[async_trait]
impl Ask for Asked<'_> {
    async fn ask(&self, query: HostQuery) -> Result<Answer, Failure> {
        Ok(self.hosts.query(self.host, &query).await?)
    }
}

fn target(
    catalogue: &Catalogue,
    primary: &Instance,
    named: Option<&str>,
    wanted: Option<Method>,
) -> Result<ReleaseName, Refusal> {
    if let Some(text) = named {
        let found = catalogue.find(text);
        let found = found.map_err(|error| Refusal::not_found(error.to_string()))?;
        return Ok(found.name.clone());
    }
    let present = catalogue.find(&primary.release).ok();
    let newest = match wanted {
        Some(Method::Restart) => None,
        _ => present.and_then(|present| catalogue.newest_after(present)),
    };
    match newest.or(present) {
        Some(release) => Ok(release.name.clone()),
        // It is gone from the store, which the report says.
        None => primary.release.parse().map_err(|_| {
            let sentence = "our own state holds a release that has no name";
            Refusal::new(RefusalKind::Internal, sentence)
        }),
    }
}

fn refusal(failure: Failure) -> Refusal {
    let sentence = match failure {
        Failure::Failed(sentence) | Failure::Final(sentence) | Failure::Unknown(sentence) => {
            sentence
        }
        Failure::Stale => "a newer controller has taken over".to_owned(),
    };
    Refusal::new(
        RefusalKind::Unavailable,
        format!("the preflight could not be made: {sentence}"),
    )
    .with_hint("nothing was changed; try again in a moment")
}
