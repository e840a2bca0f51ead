//! A follower that holds up the run of its leader is in nobody's way: it can be destroyed or let go, and the
//! run goes on without it.

use std::sync::Arc;

use tokio::task::JoinHandle;
use upkeep_domain::procedure::changeover;
use upkeep_engine::Engine;
use upkeep_store::Database;
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::{Fault, Place, Sim};

use crate::case::{Case, Disturbance, run, wrong};
use crate::stage::{Ended, PATIENCE, RELEASES, Stage, engine, maintenance_of, server, wait_until};
use crate::table::{Table, Way};
use crate::watch::Watch;

/// A leader whose changeover is stuck, because its follower does not follow and cannot be copied anew.
struct Stuck {
    stage: Stage,
    /// Lives as long as the stage that it is for.
    _server: ThrowAway,
    sim: Arc<Sim>,
    engine: Engine,
    leader: Database,
    follower: Database,
    running: JoinHandle<()>,
}

impl Stuck {
    async fn new() -> Self {
        let server = server().await;
        let stage = Stage::new(&server, "followers").await;
        let sim = Arc::new(Sim::new(&RELEASES));
        let table = Arc::new(Table::of::<changeover::Step>().followed());
        let case = Case::new(&table, Way::Replaced, Disturbance::None);
        case.lead(&sim);
        let place = Place {
            procedure: "changeover",
            step: "copy_follower",
            // The first one looks at the source.
            call: 1,
        };
        sim.inject_for_ever(place, Fault::Refused);
        let watch = Watch::new(&sim, None);
        let engine = engine(&stage.store, &sim, watch, "server");
        let id = case.begin(&stage, &engine, &sim).await;
        let running = run(&engine);
        assert_eq!(stage.end(id, PATIENCE).await, Ended::Stuck);
        let leader = stage.database(id).await.expect("it is stuck, not gone");
        let followers = stage.store.followers(id).await;
        let follower = followers.expect("the store answers").remove(0);
        Self {
            stage,
            _server: server,
            sim,
            engine,
            leader,
            follower,
            running,
        }
    }

    async fn goes_on(self) {
        self.sim.heal();
        // What is stuck goes on by hand on any plan, also one on which nothing is begun by hand.
        let asked = maintenance_of(Database {
            plan: "essential-0".to_owned(),
            ..self.leader.clone()
        });
        let begun = self.engine.run_maintenance(asked).await;
        begun.expect("it goes on where it stands");
        let ended = self.stage.end(self.leader.id, PATIENCE).await;
        assert_eq!(ended, Ended::Succeeded);
        let wrong = wrong(&self.stage, &self.sim, ended).await;
        assert!(wrong.is_empty(), "{wrong:?}");
        self.running.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_destroyed_is_missed_by_nobody() {
    let stuck = Stuck::new().await;
    let asked = stuck.engine.destroy_database(&stuck.follower).await;
    asked.expect("what is stuck on its leader is not in the way");
    wait_until("it is gone", async || {
        stuck.stage.database(stuck.follower.id).await.is_none()
    })
    .await;
    stuck.goes_on().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_that_was_let_go_nothing_is_left_that_was_made_for_it() {
    let stuck = Stuck::new().await;
    let asked = stuck.engine.unfollow(&stuck.follower).await;
    asked.expect("what is stuck on its leader is not in the way");
    let ended = stuck.stage.end(stuck.follower.id, PATIENCE).await;
    assert_eq!(ended, Ended::Succeeded);
    stuck.goes_on().await;
}
