//! Gathers what a preflight is judged from, for steps and for people who only want to know. Nothing
//! is changed by looking.

use async_trait::async_trait;
use upkeep_domain::hold::Prepared;
use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{InstanceSettings, Observation, ProcessState};
use upkeep_domain::preflight::{Facts, Report, Room, Run, Situation, Waiver, Way, judge};
use upkeep_domain::release::{Catalogue, Release, ReleaseName, knowledge};

use crate::procedure::room_needed;
use crate::workflow::{Failure, unexpected};

/// A copy is somewhat larger than its source: WAL written meanwhile.
const ROOM_FACTOR: f64 = 1.2;

/// What is looked at, and for what.
pub(crate) struct Subject<'a> {
    pub(crate) run: Run,
    pub(crate) way: Way,
    pub(crate) primary: InstanceId,
    pub(crate) dbname: &'a str,
    pub(crate) target: &'a ReleaseName,
    pub(crate) settings: &'a InstanceSettings,
    pub(crate) own_slot: Option<&'a str>,
    pub(crate) prepared: Option<&'a Prepared>,
    pub(crate) waivers: &'a [Waiver],
}

/// How its host is asked.
#[async_trait]
pub(crate) trait Ask: Sync {
    async fn ask(&self, query: HostQuery) -> Result<Answer, Failure>;
}

pub(crate) async fn inspect(host: &dyn Ask, subject: &Subject<'_>) -> Result<Report, Failure> {
    let primary = observe(host, subject.primary).await?;
    let releases = match host.ask(HostQuery::Releases).await? {
        Answer::Releases { releases } => Catalogue::new(releases),
        other => return Err(unexpected(&other)),
    };
    let named = |name: &ReleaseName| releases.iter().find(|release| release.name == *name);
    let present = primary.release.as_ref().and_then(named);
    let target = named(subject.target);
    let copy_to_be_made = subject.way.copies && subject.run != Run::BeforeHold;
    let room = if copy_to_be_made {
        Some(room(host, subject.primary).await?)
    } else {
        None
    };
    let facts = match primary.process {
        ProcessState::Running => Some(facts(host, subject, present, target).await?),
        _ => None,
    };
    let release_before = primary.release.as_ref().map_or("", ReleaseName::as_str);
    let situation = Situation {
        run: subject.run,
        way: subject.way,
        primary: &primary,
        release_before,
        release_after: subject.target.as_str(),
        present,
        target,
        settings: subject.settings,
        own_slot: subject.own_slot,
        room,
        facts: facts.as_ref(),
        prepared: subject.prepared,
    };
    Ok(judge(&situation, subject.waivers))
}

async fn observe(host: &dyn Ask, instance: InstanceId) -> Result<Observation, Failure> {
    match host.ask(HostQuery::Observe { instance }).await? {
        Answer::Observed { observation } => Ok(*observation),
        other => Err(unexpected(&other)),
    }
}

async fn room(host: &dyn Ask, instance: InstanceId) -> Result<Room, Failure> {
    match host.ask(HostQuery::Room { instance }).await? {
        Answer::Room {
            available_bytes,
            instance_bytes,
        } => Ok(Room {
            available_bytes,
            needed_bytes: room_needed(instance_bytes, ROOM_FACTOR),
        }),
        other => Err(unexpected(&other)),
    }
}

async fn facts(
    host: &dyn Ask,
    subject: &Subject<'_>,
    present: Option<&Release>,
    target: Option<&Release>,
) -> Result<Facts, Failure> {
    let demands = present
        .zip(target)
        .map(|(present, target)| knowledge::demands(present.version, target.version));
    let query = HostQuery::Facts {
        instance: subject.primary,
        dbname: subject.dbname.to_owned(),
        target: target.map(|release| release.name.clone()),
        detectors: demands
            .unwrap_or_default()
            .into_iter()
            .map(|demand| demand.detector)
            .collect(),
    };
    match host.ask(query).await? {
        Answer::Facts { facts } => Ok(*facts),
        other => Err(unexpected(&other)),
    }
}
