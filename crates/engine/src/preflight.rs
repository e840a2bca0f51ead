//! Gathers what a preflight is judged from, for steps and for people who only want to know. Nothing
//! is changed by looking.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use upkeep_domain::dry_start::{DryStart, WaitingSetting};
use upkeep_domain::hold::Prepared;
use upkeep_domain::host_command::{Answer, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::instance::{InstanceSettings, Observation, ProcessState};
use upkeep_domain::preflight::{
    Facts, FollowerFacts, Report, Room, Run, Situation, Waiver, Way, judge,
};
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
    /// Whose configuration files the next server starts with.
    pub(crate) starts_as: InstanceId,
    pub(crate) dbname: &'a str,
    pub(crate) target: &'a ReleaseName,
    pub(crate) settings: &'a InstanceSettings,
    pub(crate) own_slot: Option<&'a str>,
    pub(crate) prepared: Option<&'a Prepared>,
    /// The next primary, once it follows.
    pub(crate) successor: Option<InstanceId>,
    pub(crate) waivers: &'a [Waiver],
}

/// A database that follows the one that is looked at.
pub(crate) struct Following {
    pub(crate) name: String,
    /// What its readers are on.
    pub(crate) instance: InstanceId,
}

/// How its host is asked.
#[async_trait]
pub(crate) trait Ask: Sync {
    async fn ask(&self, query: HostQuery) -> Result<Answer, Failure>;
}

impl Subject<'_> {
    /// What has to be there on the host, in sizes of the database, beside what is always kept free.
    fn room_factor(&self) -> Option<f64> {
        match (self.run, self.way) {
            // What takes room has taken it by then.
            (Run::BeforeHold, _) | (_, Way::FAILOVER) => None,
            (_, way) if way.copies => Some(ROOM_FACTOR),
            _ => Some(0.0),
        }
    }

    /// Where another server takes over, it runs before clients are held.
    fn is_still_to_start(&self) -> bool {
        self.run != Run::BeforeHold || !self.way.promotes
    }
}

/// What came of looking.
pub(crate) struct Inspected {
    pub(crate) report: Report,
    /// What a start would put into effect.
    pub(crate) waiting: Vec<WaitingSetting>,
}

pub(crate) async fn inspect(
    host: &dyn Ask,
    subject: &Subject<'_>,
    followers: &[Following],
) -> Result<Inspected, Failure> {
    let primary = observe(host, subject.primary).await?;
    let releases = match host.ask(HostQuery::Releases).await? {
        Answer::Releases { releases } => Catalogue::new(releases),
        other => return Err(unexpected(&other)),
    };
    let named = |name: &ReleaseName| releases.iter().find(|release| release.name == *name);
    let present = primary.release.as_ref().and_then(named);
    let target = named(subject.target);
    let room = match subject.room_factor() {
        Some(factor) => Some(room(host, subject.primary, factor).await?),
        None => None,
    };
    let runs = primary.process == ProcessState::Running;
    let facts = if runs {
        Some(facts(host, subject, present, target).await?)
    } else {
        None
    };
    let dry_start = match target {
        Some(target) if runs && subject.is_still_to_start() => {
            Some(dry_start(host, subject.starts_as, target).await?)
        }
        _ => None,
    };
    let seen = facts_of_followers(host, followers, facts.as_ref()).await;
    let carried_slots = match subject.successor {
        Some(successor) => Some(failover_slots(host, successor).await?),
        None => None,
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
        dry_start: dry_start.as_ref(),
        facts: facts.as_ref(),
        prepared: subject.prepared,
        followers: &seen,
        carried_slots: carried_slots.as_ref(),
    };
    let report = judge(&situation, subject.waivers);
    let waiting = dry_start.unwrap_or_default().waiting;
    Ok(Inspected { report, waiting })
}

async fn observe(host: &dyn Ask, instance: InstanceId) -> Result<Observation, Failure> {
    match host.ask(HostQuery::Observe { instance }).await? {
        Answer::Observed { observation } => Ok(*observation),
        other => Err(unexpected(&other)),
    }
}

/// In milliseconds.
const DELAY: &str = "recovery_min_apply_delay";

/// One that cannot be asked is left out: a broken follower stands in nobody's way, it is replaced.
async fn facts_of_followers(
    host: &dyn Ask,
    followers: &[Following],
    facts: Option<&Facts>,
) -> Vec<FollowerFacts> {
    let floors = facts.map(|facts| facts.floors.as_slice());
    let names = floors.unwrap_or_default().iter();
    let names = names.map(|floor| floor.name.clone());
    let names: Vec<String> = names.chain([DELAY.to_owned()]).collect();
    let mut all = Vec::new();
    for Following { name, instance } in followers {
        let query = HostQuery::Settings {
            instance: *instance,
            names: names.clone(),
        };
        let (Ok(seen), Ok(Answer::Settings { values })) =
            (observe(host, *instance).await, host.ask(query).await)
        else {
            continue;
        };
        let number = |(name, value): (String, String)| Some((name, value.parse().ok()?));
        let mut floors: BTreeMap<String, i64> = values.into_iter().filter_map(number).collect();
        all.push(FollowerFacts {
            name: name.clone(),
            running: seen.version,
            delay_ms: floors.remove(DELAY).unwrap_or_default(),
            floors,
        });
    }
    all
}

/// Logical slots that are marked for failover, as a primary has them or a standby could go on with.
pub(crate) async fn failover_slots(
    host: &dyn Ask,
    instance: InstanceId,
) -> Result<BTreeSet<String>, Failure> {
    match host.ask(HostQuery::FailoverSlots { instance }).await? {
        Answer::FailoverSlots { names } => Ok(names),
        other => Err(unexpected(&other)),
    }
}

async fn dry_start(
    host: &dyn Ask,
    instance: InstanceId,
    target: &Release,
) -> Result<DryStart, Failure> {
    let release = target.name.clone();
    match host.ask(HostQuery::DryStart { instance, release }).await? {
        Answer::DryStart { dry_start } => Ok(dry_start),
        other => Err(unexpected(&other)),
    }
}

async fn room(host: &dyn Ask, instance: InstanceId, factor: f64) -> Result<Room, Failure> {
    match host.ask(HostQuery::Room { instance }).await? {
        Answer::Room {
            available_bytes,
            instance_bytes,
        } => Ok(Room {
            available_bytes,
            needed_bytes: room_needed(instance_bytes, factor),
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
