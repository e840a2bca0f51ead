//! One case: a procedure on one of its ways, with one disturbance, played to its end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use upkeep_domain::hold::HoldLimits;
use upkeep_domain::id::{DatabaseId, InstanceId};
use upkeep_domain::instance::FenceMeans;
use upkeep_domain::procedure::{
    Direction, changeover, destroy, failover, follow, follower_changeover, provision, restart,
    standby, unfollow,
};
use upkeep_engine::request::RunMaintenance;
use upkeep_engine::{Engine, Unwatched};
use upkeep_store::Database;
use upkeep_testkit::sim::{Fault, Place, Sim};

use crate::stage::{
    Ended, KEPT, PATIENCE, RELEASES, Stage, UNHURRIED, create_database, engine, engine_with,
    maintenance_of, server,
};
use crate::table::{Step, Table, Way};
use crate::watch::{At, Then, Watch};

/// State databases on which cases are played at the same time; most of a case is waiting.
const STAGES: usize = 32;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Disturbance {
    None,
    Once(Place, Fault),
    ForEver(Place, Fault),
    Kill(At),
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) table: Arc<Table>,
    pub(crate) way: Way,
    pub(crate) disturbance: Disturbance,
    pub(crate) patience: Duration,
    /// How long clients are held while nobody speaks to the endpoint.
    pub(crate) lease_ms: u64,
    /// Nobody goes on when the engine has died before silence has let everybody go.
    pub(crate) outlives_holds: bool,
}

/// What was left of a case.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) ended: Ended,
    /// Everything that should not be.
    pub(crate) wrong: Vec<String>,
    /// The end state, as far as two runs of the same can be alike.
    pub(crate) picture: String,
    pub(crate) restarts: u32,
    /// Of each step's calls, whether they change anything.
    pub(crate) calls: BTreeMap<&'static str, Vec<bool>>,
}

pub(crate) fn tables() -> Vec<Arc<Table>> {
    vec![
        Arc::new(Table::of::<provision::Step>()),
        Arc::new(Table::of::<changeover::Step>()),
        Arc::new(Table::of::<changeover::Step>().by_clean_stop()),
        Arc::new(Table::of::<changeover::Step>().followed()),
        Arc::new(Table::of::<restart::Step>()),
        Arc::new(Table::of::<failover::Step>()),
        Arc::new(Table::of::<failover::Step>().followed()),
        Arc::new(Table::of::<standby::Step>()),
        Arc::new(Table::of::<follow::Step>()),
        Arc::new(Table::of::<follower_changeover::Step>().turning_at("overtake")),
        Arc::new(Table::of::<unfollow::Step>()),
        Arc::new(Table::of::<destroy::Step>()),
    ]
}

impl Case {
    pub(crate) fn new(table: &Arc<Table>, way: Way, disturbance: Disturbance) -> Self {
        Self {
            table: Arc::clone(table),
            way,
            disturbance,
            patience: PATIENCE,
            lease_ms: UNHURRIED.lease_ms,
            outlives_holds: false,
        }
    }

    fn engine(&self, stage: &Stage, sim: &Arc<Sim>, watch: &Arc<Watch>) -> Engine {
        let limits = HoldLimits {
            lease_ms: self.lease_ms,
            ..UNHURRIED
        };
        engine_with(&stage.store, sim, watch.clone(), "server", limits, KEPT)
    }

    pub(crate) fn disturbed_step(&self) -> Option<&Step> {
        let (Disturbance::Once(place, _) | Disturbance::ForEver(place, _)) = self.disturbance
        else {
            return None;
        };
        self.table.steps.iter().find(|step| step.name == place.step)
    }

    /// The call in which something was to go wrong was made.
    fn was_disturbed(&self, report: &Report) -> bool {
        let (Disturbance::Once(place, _) | Disturbance::ForEver(place, _)) = self.disturbance
        else {
            return true;
        };
        report.calls[place.step].len() > place.call as usize
    }

    /// A point of no return that the endpoint is asked for: it fails and never refuses, so that nobody
    /// knows.
    pub(crate) fn is_asked_of_the_endpoint(&self) -> bool {
        let step = self.disturbed_step();
        self.table.procedure == "follower_changeover"
            && step.is_some_and(|step| step.direction == Direction::PointOfNoReturn)
    }

    /// A follower that cannot be pointed is no reason to give up: it is replaced. Nor is an archive that cannot
    /// be handed over, behind the switch: it is told.
    pub(crate) fn is_borne(&self) -> bool {
        let (Disturbance::Once(place, _) | Disturbance::ForEver(place, _)) = self.disturbance
        else {
            return false;
        };
        // The first calls look at the new server, and end the old one.
        let borne = match place.procedure {
            "changeover" | "failover" => ["point_followers", "end_old"].contains(&place.step),
            _ => false,
        };
        borne && place.call > 0
    }

    async fn play(&self, stage: &Stage) -> Report {
        let sim = Arc::new(Sim::new(&RELEASES));
        self.lead(&sim);
        let watch = self.disturb(&sim);
        let first = self.engine(stage, &sim, &watch);
        let database = self.begin(stage, &first, &sim).await;
        let mut running = run(&first);
        let mut restarts = 0;
        let ended = {
            let end = stage.end(database, self.patience);
            tokio::pin!(end);
            loop {
                tokio::select! {
                    ended = &mut end => break ended,
                    () = watch.reached() => {}
                    () = sim.hung() => {}
                }
                restarts += 1;
                running.abort();
                let _ = (&mut running).await;
                if self.outlives_holds {
                    sim.holds_have_lapsed().await;
                }
                running = run(&self.engine(stage, &sim, &Watch::new(&sim, None)));
            }
        };
        // Killed behind its last commit, the end may be seen before the death.
        if let (Disturbance::Kill(_), 0) = (self.disturbance, restarts) {
            let reached = tokio::time::timeout(PATIENCE, watch.reached()).await;
            restarts += u32::from(reached.is_ok());
        }
        running.abort();
        let _ = running.await;
        let report = Report {
            ended,
            wrong: wrong(stage, &sim, ended).await,
            picture: picture(stage, &sim, database).await,
            restarts,
            calls: self.calls(&sim),
        };
        stage.clear().await;
        report
    }

    /// Sees to it that the run takes its way.
    pub(crate) fn lead(&self, sim: &Sim) {
        match (self.way, self.table.fence) {
            (Way::Again, FenceMeans::Freeze) => sim.bypass(1),
            (Way::Again, FenceMeans::CleanStop) => sim.cannot_freeze(),
            (_, FenceMeans::CleanStop) => sim.fence_by_clean_stop(),
            (_, FenceMeans::Freeze) => {}
        }
        let refused = match self.way {
            Way::Straight | Way::Again => vec![],
            Way::Back => self
                .table
                .turning_point
                .map(|step| (step, 0))
                .into_iter()
                .collect(),
            Way::Disposed => self
                .table
                .disposable
                .map(|step| (step, 0))
                .into_iter()
                .collect(),
            // Before the switch and behind it. The first calls only look.
            Way::Replaced => vec![("point_followers", 1), ("prove_followers", 3)],
        };
        for (step, call) in refused {
            let place = Place {
                procedure: self.table.procedure,
                step,
                call,
            };
            sim.inject(place, Fault::Refused);
        }
    }

    fn disturb(&self, sim: &Arc<Sim>) -> Arc<Watch> {
        let mut kill = None;
        match self.disturbance {
            Disturbance::None => {}
            Disturbance::Once(place, fault) => sim.inject(place, fault),
            Disturbance::ForEver(place, fault) => sim.inject_for_ever(place, fault),
            Disturbance::Kill(at) => kill = Some((at, Then::Die)),
        }
        Watch::new(sim, kill)
    }

    /// Begins the procedure; what must be there before is made undisturbed.
    pub(crate) async fn begin(&self, stage: &Stage, engine: &Engine, sim: &Arc<Sim>) -> DatabaseId {
        if self.table.procedure == "provision" {
            return create_database(engine).await.id;
        }
        let database = provisioned(stage, sim).await;
        let id = database.id;
        match self.table.procedure {
            "changeover" => {
                if self.table.followed {
                    follower_of(stage, sim, &database).await;
                }
                let request = RunMaintenance {
                    method: Some("changeover".to_owned()),
                    ..maintenance_of(database)
                };
                engine.run_maintenance(request).await.map(drop)
            }
            method @ ("failover" | "restart") => {
                if self.table.followed {
                    follower_of(stage, sim, &database).await;
                }
                standby_of(stage, sim, &database).await;
                let database = stage.database(id).await.expect("it is there");
                let request = RunMaintenance {
                    method: Some(method.to_owned()),
                    ..maintenance_of(database)
                };
                let begun = engine.run_maintenance(request).await.map(drop);
                // What a sweep would do about the standby afterwards is not looked at here.
                stage.set_plan(id, "standard-0").await;
                begun
            }
            "standby" => {
                let broken = standby_of(stage, sim, &database).await;
                sim.ruin(broken);
                engine.build_standby(&database, vec![broken]).await
            }
            "follow" => {
                let following = crate::stage::follow(engine, &database).await;
                return following.id;
            }
            "follower_changeover" => {
                let follower = follower_of(stage, sim, &database).await;
                let id = follower.id;
                let begun = engine.run_maintenance(maintenance_of(follower)).await;
                begun.expect("nothing stands in the way");
                return id;
            }
            "unfollow" => {
                let follower = follower_of(stage, sim, &database).await;
                let begun = engine.unfollow(&follower).await;
                begun.expect("nothing stands in the way");
                return follower.id;
            }
            "destroy" => engine.destroy_database(&database).await,
            other => panic!("how is a {other} begun?"),
        }
        .expect("nothing stands in the way");
        id
    }

    fn calls(&self, sim: &Sim) -> BTreeMap<&'static str, Vec<bool>> {
        let made = |step: &Step| (step.name, sim.calls_made(self.table.procedure, step.name));
        self.table.steps.iter().map(made).collect()
    }
}

pub(crate) fn run(engine: &Engine) -> tokio::task::JoinHandle<()> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.run().await })
}

/// Rules that were broken, and what was left lying about.
pub(crate) async fn wrong(stage: &Stage, sim: &Sim, ended: Ended) -> Vec<String> {
    let mut wrong = sim.violations();
    if matches!(ended, Ended::Stuck | Ended::StillTrying) {
        return wrong;
    }
    wrong.extend(sim.unsettled());
    let mut known = BTreeSet::new();
    for database in all(stage).await {
        let rows = stage.store.instances(database.id).await;
        known.extend(rows.expect("the store answers").iter().map(|row| row.id));
        if sim.target_of(&database.dbname) != database.primary_instance {
            wrong.push("clients go elsewhere than the record says".to_owned());
        }
    }
    if sim.instances() != known {
        wrong.push(format!(
            "instances {:?} are there, {known:?} are known",
            sim.instances()
        ));
    }
    wrong
}

/// Also such as could not be made, which keep their row.
async fn all(stage: &Stage) -> Vec<Database> {
    stage.store.databases().await.expect("the store answers")
}

pub(crate) async fn picture(stage: &Stage, sim: &Sim, id: DatabaseId) -> String {
    let mut pictures = vec![match stage.database(id).await {
        Some(database) => picture_of(stage, sim, database).await,
        None => format!("gone; {} instances", sim.instances().len()),
    }];
    for other in all(stage).await.into_iter().filter(|other| other.id != id) {
        pictures.push(picture_of(stage, sim, other).await);
    }
    pictures.join(" | ")
}

async fn picture_of(stage: &Stage, sim: &Sim, database: Database) -> String {
    let id = database.id;
    let mut lines = vec![format!("{:?}", database.state)];
    for row in stage.store.instances(id).await.expect("the store answers") {
        let seen = sim.observe(row.id);
        lines.push(format!(
            "{:?} {} kept={} primary={} {:?} timeline={:?} recovery={:?} disarmed={}",
            row.role,
            row.release,
            row.retire_at.is_some(),
            database.primary_instance == Some(row.id),
            seen.process,
            seen.timeline,
            seen.in_recovery,
            seen.disarmed,
        ));
    }
    let maintenances = stage.store.maintenances(id, 9).await;
    for maintenance in maintenances.expect("the store answers") {
        let felt = maintenance.felt.map(|felt| felt.sessions_held);
        lines.push(format!(
            "{} {:?} felt={felt:?}",
            maintenance.status, maintenance.outcome
        ));
    }
    lines.join("; ")
}

/// Plays all cases. Of a step that looks until a time has come, a busy machine makes fewer calls, and some steps it
/// does not reach in time: the cases whose call was not made show nothing, and are left out.
pub(crate) async fn play_all(cases: Vec<Case>) -> Vec<(Case, Report)> {
    let wanted = cases.len();
    let mut played = play_several(cases).await;
    played.retain(|(case, report)| case.was_disturbed(report));
    let shown = played.len();
    assert!(
        shown * 2 >= wanted,
        "{shown} of {wanted} cases were disturbed"
    );
    played
}

async fn play_several(cases: Vec<Case>) -> Vec<(Case, Report)> {
    let server = server().await;
    let stages = STAGES.min(cases.len());
    let waiting = Arc::new(Mutex::new(VecDeque::from(cases)));
    let mut players = Vec::new();
    for number in 0..stages {
        let stage = Stage::new(&server, &format!("stage_{number}")).await;
        let waiting = Arc::clone(&waiting);
        players.push(tokio::spawn(async move {
            let mut played = Vec::new();
            loop {
                let next = waiting.lock().expect("nothing panics under it").pop_front();
                let Some(case) = next else { return played };
                let report = case.play(&stage).await;
                played.push((case, report));
            }
        }));
    }
    let mut played = Vec::new();
    for player in players {
        played.extend(player.await.expect("a case is played to its end"));
    }
    played
}

/// Gives a database a plan with a standby, and the standby.
async fn standby_of(stage: &Stage, sim: &Arc<Sim>, database: &Database) -> InstanceId {
    stage.set_plan(database.id, "premium-0").await;
    let engine = engine(&stage.store, sim, Arc::new(Unwatched), "server");
    // The sweep may be the first to find that there is none.
    let _ = engine.build_standby(database, Vec::new()).await;
    let running = run(&engine);
    assert_eq!(stage.end(database.id, PATIENCE).await, Ended::Succeeded);
    running.abort();
    let _ = running.await;
    let standbys = stage.store.standbys(database.id).await;
    let standbys = standbys.expect("the store answers");
    let [(standby, _)] = &standbys[..] else {
        panic!("one standby was made: {standbys:?}");
    };
    standby.id
}

/// Gives a database a follower.
async fn follower_of(stage: &Stage, sim: &Arc<Sim>, leader: &Database) -> Database {
    let engine = engine(&stage.store, sim, Arc::new(Unwatched), "server");
    let running = run(&engine);
    let follower = crate::stage::follow(&engine, leader).await;
    assert_eq!(stage.end(follower.id, PATIENCE).await, Ended::Succeeded);
    running.abort();
    let _ = running.await;
    stage.database(follower.id).await.expect("it was just made")
}

/// A database that was provisioned without any trouble; no engine runs afterwards.
pub(crate) async fn provisioned(stage: &Stage, sim: &Arc<Sim>) -> Database {
    let engine = engine(&stage.store, sim, Arc::new(Unwatched), "server");
    let running = run(&engine);
    let database = create_database(&engine).await;
    assert_eq!(stage.end(database.id, PATIENCE).await, Ended::Succeeded);
    running.abort();
    let _ = running.await;
    stage.database(database.id).await.expect("it was just made")
}
