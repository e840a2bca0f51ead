//! Followers at their leader's switch.
//!
//! Before it they stream from the server that is to be promoted, so that they do not notice the
//! promotion. Afterwards each has to prove that it follows; in the place of one that does not,
//! another is built, and its readers are moved there. What hangs on whom is read from our own state
//! at each step: one that was destroyed meanwhile is missed by nobody.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::{Instant, sleep};
use upkeep_domain::hold::ReleaseOnto;
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery, Outcome};
use upkeep_domain::id::{DatabaseId, HostId, InstanceId};
use upkeep_domain::instance::{
    Address, InstanceSettings, Observation, ProcessState, ReplayHeldBack,
};
use upkeep_domain::lsn::{Lsn, TimelineId};
use upkeep_domain::release::ReleaseName;
use upkeep_store::{Change, Instance, InstanceRole};

use super::family::{Follower, followers};
use super::{Copy, CopyFor, hold, let_everybody_go, overtake, prepare};
use crate::procedure::slot_of;
use crate::workflow::{Done, Failure, Visit, unexpected};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// What a step needs to end before its deadline, so that the reason is told and not just the time.
const IN_TIME: Duration = Duration::from_secs(2);
/// Behind the commands about followers, two of each.
const START_AGAIN: u8 = 200;
/// Replacements of each follower in one run: then something else is wrong.
const REPLACED_MAX: u32 = 3;

/// What the steps found out about the followers of a leader.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Followers {
    /// Another is put in the place of one.
    replacing: Option<Replacing>,
    /// How many were replaced so far.
    #[serde(default)]
    replaced: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Replacing {
    database: DatabaseId,
    dbname: String,
    old: InstanceId,
    made: InstanceId,
    host: HostId,
    release: ReleaseName,
    settings: InstanceSettings,
}

impl Replacing {
    fn copy(&self, primary: InstanceId) -> Copy {
        Copy {
            host: self.host,
            source: primary,
            follower: self.made,
        }
    }
}

enum Wanted<'a> {
    Still(&'a Replacing, Copy),
    NotAnyMore(Done),
}

/// What a follower has to have to be proven.
struct Proof {
    primary: InstanceId,
    address: Address,
    marker: Lsn,
    timeline: TimelineId,
}

impl Proof {
    fn is_given(&self, seen: &Observation) -> bool {
        let on_purpose = seen.replay_held_back == Some(ReplayHeldBack::Delayed);
        self.is_on_its_way(seen) && (on_purpose || seen.replayed_lsn >= Some(self.marker))
    }

    fn is_on_its_way(&self, seen: &Observation) -> bool {
        seen.streaming == Some(true)
            && seen.timeline == Some(self.timeline)
            && seen.flushed_lsn >= Some(self.marker)
    }
}

/// What came of telling followers whom to follow.
#[derive(Default)]
struct Told {
    all: usize,
    /// Why, by name.
    refused: BTreeMap<String, String>,
    /// Why one that is there could not be told.
    unmoved: Option<String>,
}

impl Followers {
    /// Each of them streams from `onto` from now on. One that does not is told, and is no reason to
    /// give up: it will be replaced.
    pub(crate) async fn point(
        visit: &Visit<'_>,
        host: HostId,
        onto: InstanceId,
    ) -> Result<Done, Failure> {
        let told = Self::tell(visit, host, onto).await?;
        Ok(Done::new().detail(json!({ "followers": told.all, "not_pointed": told.refused })))
    }

    /// All of them stream from `old` again: the other one is about to be gone. One of which nothing is there
    /// has lost nothing by it.
    pub(crate) async fn point_back(
        visit: &Visit<'_>,
        host: HostId,
        old: InstanceId,
    ) -> Result<Done, Failure> {
        let told = Self::tell(visit, host, old).await?;
        let detail = json!({ "followers": told.all, "not_pointed": told.refused });
        match told.unmoved {
            Some(why) => Err(Failure::Failed(why)),
            None => Ok(Done::new().detail(detail)),
        }
    }

    async fn tell(visit: &Visit<'_>, host: HostId, onto: InstanceId) -> Result<Told, Failure> {
        let followers = followers(visit).await;
        let mut all = Told {
            all: followers.len(),
            ..Told::default()
        };
        if followers.is_empty() {
            return Ok(all);
        }
        let upstream = visit.observe_patiently(host, onto).await?;
        let address = upstream
            .address
            .ok_or_else(|| Failure::Failed("their upstream has no address".to_owned()))?;
        for (part, follower) in (0..).zip(&followers) {
            let follow = HostCommand::Follow {
                instance: follower.instance.id,
                upstream: onto,
                upstream_address: address.clone(),
                slot: slot_of(follower.instance.id),
            };
            let told = visit.command(follower.instance.host_id, part, follow).await;
            let why = match told {
                Ok(Outcome::Follows { not_yet }) => not_yet,
                Ok(other) => return Err(unexpected(&other)),
                Err(Failure::Failed(why) | Failure::Final(why)) => {
                    if is_there(visit, follower).await? {
                        all.unmoved = Some(why.clone());
                    }
                    Some(why)
                }
                Err(unknown) => return Err(unknown),
            };
            if let Some(why) = why {
                all.refused.insert(follower.database.name.clone(), why);
            }
        }
        Ok(all)
    }

    /// What `upstream` kept for them is kept for nobody any more. One that died meanwhile is started; one
    /// that does not start is built anew, and its slots go with it.
    pub(crate) async fn drop_slots(
        visit: &Visit<'_>,
        host: HostId,
        upstream: InstanceId,
        first_part: u8,
    ) -> Result<(), Failure> {
        let seen = visit.observe_patiently(host, upstream).await?;
        if !seen.accepts_connections {
            let start = HostCommand::StartInstance { instance: upstream };
            match visit.command(host, first_part, start).await {
                Ok(_) => {}
                Err(Failure::Failed(_) | Failure::Final(_)) => return Ok(()),
                Err(unknown) => return Err(unknown),
            }
        }
        for (part, follower) in (first_part + 1..).zip(followers(visit).await) {
            let drop = HostCommand::DropSlot {
                instance: upstream,
                slot: slot_of(follower.instance.id),
            };
            visit.command(host, part, drop).await?;
        }
        Ok(())
    }

    /// Done when every one follows `primary`; again when another has to be put in the place of one.
    pub(crate) async fn prove(
        &mut self,
        visit: &Visit<'_>,
        host: HostId,
        primary: InstanceId,
    ) -> Result<Done, Failure> {
        self.replacing = None;
        let followers = followers(visit).await;
        if followers.is_empty() {
            return Ok(Done::new());
        }
        let proof = proof(visit, host, primary).await?;
        let until = Instant::now() + visit.world.followers_within;
        let detail = json!({ "followers": followers.len(), "replaced": self.replaced });
        let mut done = Done::new().detail(detail);
        let too_many = followers.len() as u32 * REPLACED_MAX;
        for (part, follower) in (0..).step_by(2).zip(followers) {
            let comes = comes_along(visit, &follower, part, &proof).await?;
            if !comes || !follows(visit, &follower, &proof, until).await? {
                if self.replaced >= too_many {
                    // A person who has looked may have put the cause right.
                    self.replaced = 0;
                    let name = &follower.database.name;
                    let sentence = format!("{name} does not follow, even made anew");
                    return Err(Failure::Final(sentence));
                }
                return self.replace(visit, follower).await;
            }
            done = done.with(Change::Follows {
                id: follower.instance.id,
                upstream: primary,
            });
        }
        Ok(done)
    }

    /// Recorded before it is made, so that it is never forgotten.
    async fn replace(&mut self, visit: &Visit<'_>, follower: Follower) -> Result<Done, Failure> {
        let Follower { database, instance } = follower;
        let leader = visit.claim.database;
        let leader = visit.read_store(|| visit.store.database(leader)).await;
        let leader = leader.map_or_else(|| database.plan.clone(), |leader| leader.plan);
        let plan = |name: &str| {
            let plan = visit.world.plans.find(name);
            plan.map_err(|refusal| Failure::Failed(refusal.to_string()))
        };
        let settings = plan(&database.plan)?.settings_beside(plan(&leader)?);
        let release = instance.release.parse().map_err(|_| {
            Failure::Failed(format!("`{}` is no name of a release", instance.release))
        })?;
        let replacing = Replacing {
            database: database.id,
            dbname: database.dbname,
            old: instance.id,
            made: InstanceId(visit.world.random.uuid()),
            host: instance.host_id,
            release,
            settings,
        };
        let done = Done::again(json!({ "does_not_follow": database.name }));
        let done = done.with(Change::InsertInstance {
            id: replacing.made,
            database: replacing.database,
            host: replacing.host,
            release: replacing.release.to_string(),
            role: InstanceRole::Replacement,
        });
        self.replacing = Some(replacing);
        self.replaced += 1;
        Ok(done)
    }

    /// Who is replaced, and by what. While this was stuck a person may have destroyed the follower, or let it
    /// go: what was made for it is removed then, and the rest of the way is nothing to do.
    async fn replacing(
        &mut self,
        visit: &Visit<'_>,
        primary: InstanceId,
    ) -> Result<Wanted<'_>, Failure> {
        let mut gone = Done::new();
        if let Some(replacing) = &self.replacing {
            let followers = followers(visit).await;
            let mut followers = followers.iter();
            if !followers.any(|follower| follower.database.id == replacing.database) {
                gone = gone.with(replacing.copy(primary).discard(visit, 0).await?);
                // Only now: until it is removed it must not be forgotten.
                self.replacing = None;
            }
        }
        Ok(match &self.replacing {
            Some(replacing) => Wanted::Still(replacing, replacing.copy(primary)),
            None => Wanted::NotAnyMore(gone),
        })
    }

    pub(crate) async fn copy(
        &mut self,
        visit: &Visit<'_>,
        primary: InstanceId,
    ) -> Result<Done, Failure> {
        match self.replacing(visit, primary).await? {
            Wanted::NotAnyMore(done) => Ok(done),
            Wanted::Still(replacing, copy) => {
                // Not with what is set there: that may be what keeps it from following.
                let copy_for = CopyFor::Following { in_place_of: None };
                copy.base_backup(visit, &replacing.release, &replacing.settings, copy_for)
                    .await
            }
        }
    }

    pub(crate) async fn start(
        &mut self,
        visit: &Visit<'_>,
        primary: InstanceId,
    ) -> Result<Done, Failure> {
        match self.replacing(visit, primary).await? {
            Wanted::NotAnyMore(done) => Ok(done),
            Wanted::Still(_, copy) => copy.start(visit).await,
        }
    }

    pub(crate) async fn catch_up(
        &mut self,
        visit: &Visit<'_>,
        primary: InstanceId,
    ) -> Result<Done, Failure> {
        match self.replacing(visit, primary).await? {
            Wanted::NotAnyMore(done) => Ok(done),
            Wanted::Still(_, copy) => copy.catch_up(visit).await,
        }
    }

    /// The replaced one is of no use to anybody: its history has ended.
    pub(crate) async fn move_readers(
        &mut self,
        visit: &Visit<'_>,
        primary: InstanceId,
    ) -> Result<Done, Failure> {
        let (replacing, copy) = match self.replacing(visit, primary).await? {
            Wanted::NotAnyMore(done) => return Ok(done),
            Wanted::Still(replacing, copy) => (replacing, copy),
        };
        let dbname = &replacing.dbname;
        let traffic = visit.traffic();
        let (target, _) = prepare(visit, copy.host, dbname, replacing.made).await?;
        let held = hold(visit, dbname).await?;
        let onto = ReleaseOnto::Replacement { target };
        let moved = async {
            overtake(visit, copy, replacing.old).await?;
            Ok(traffic.release(dbname, visit.fence(), &onto).await?)
        };
        if let Err(failure) = moved.await {
            let_everybody_go(visit, dbname, &ReleaseOnto::Same).await?;
            return Err(failure);
        }
        let old = Copy {
            follower: replacing.old,
            ..copy
        };
        let removed = old.discard(visit, 0).await?;
        Ok(held.with(removed).with(Change::PointReaders {
            database: replacing.database,
            follower: replacing.made,
            follows: primary,
        }))
    }
}

async fn is_there(visit: &Visit<'_>, follower: &Follower) -> Result<bool, Failure> {
    let Instance { id, host_id, .. } = follower.instance;
    let seen = visit.observe_patiently(host_id, id).await?;
    Ok(seen.identity.is_some())
}

/// Sees to it once more that it runs and streams from the new primary itself. False if it cannot.
async fn comes_along(
    visit: &Visit<'_>,
    follower: &Follower,
    part: u8,
    proof: &Proof,
) -> Result<bool, Failure> {
    let Instance { id, host_id, .. } = follower.instance;
    let follow = HostCommand::Follow {
        instance: id,
        upstream: proof.primary,
        upstream_address: proof.address.clone(),
        slot: slot_of(id),
    };
    let name = &follower.database.name;
    let seen = visit.observe_patiently(host_id, id).await?;
    if seen.in_recovery == Some(false) {
        // What was written there is nobody's to throw away.
        let sentence = format!(
            "{name} takes writes of its own: somebody has promoted it; save what is in it and destroy it"
        );
        return Err(Failure::Final(sentence));
    }
    let told = match seen.process {
        ProcessState::Running | ProcessState::Frozen => visit.command(host_id, part, follow).await,
        ProcessState::Stopped => {
            let start = HostCommand::StartInstance { instance: id };
            match visit.command(host_id, part + 1, start).await {
                Ok(_) => visit.command(host_id, part, follow).await,
                failed => failed,
            }
        }
        ProcessState::Absent => return Ok(false),
    };
    match told {
        Ok(Outcome::Follows { .. }) => Ok(true),
        Ok(other) => Err(unexpected(&other)),
        Err(Failure::Failed(why) | Failure::Final(why)) => {
            tracing::warn!(follower = name, why, "it does not come along");
            Ok(false)
        }
        Err(unknown) => Err(unknown),
    }
}

/// Waits until it follows, for as long as the others are waited for too.
async fn follows(
    visit: &Visit<'_>,
    follower: &Follower,
    proof: &Proof,
    until: Instant,
) -> Result<bool, Failure> {
    let Instance { id, host_id, .. } = follower.instance;
    loop {
        let seen = visit.observe_patiently(host_id, id).await?;
        if proof.is_given(&seen) {
            return Ok(true);
        }
        // What streams in the new history has only a reader to wait for.
        let is_late = proof.is_on_its_way(&seen);
        if is_late && visit.time_left() <= IN_TIME {
            let name = &follower.database.name;
            let why = seen.replay_held_back.map(|why| format!(": {why}"));
            let why = why.unwrap_or_default();
            let sentence = format!("{name} has received all of it and does not replay it{why}");
            return Err(Failure::Failed(sentence));
        }
        if !is_late && Instant::now() >= until {
            return Ok(false);
        }
        let name = &follower.database.name;
        let detail = json!({ "follower": name, "timeline": seen.timeline });
        visit
            .waiting(format!("for {name} to follow the new primary"), detail)
            .await?;
        sleep(LOOK_EVERY).await;
    }
}

/// A commit on the new primary that every follower has to replay.
async fn proof(visit: &Visit<'_>, host: HostId, primary: InstanceId) -> Result<Proof, Failure> {
    let seen = visit.observe_patiently(host, primary).await?;
    if seen.process == ProcessState::Stopped {
        // It died since it was proven; nobody else starts it while it is worked on.
        let start = HostCommand::StartInstance { instance: primary };
        visit.command(host, START_AGAIN, start).await?;
    }
    let address = seen.address;
    let address =
        address.ok_or_else(|| Failure::Failed("the new primary has no address".to_owned()))?;
    let mark = HostQuery::Mark { instance: primary };
    match visit.query_patiently(host, mark).await? {
        Answer::Marked { lsn, timeline, .. } => Ok(Proof {
            primary,
            address,
            marker: lsn,
            timeline,
        }),
        other => Err(unexpected(&other)),
    }
}
