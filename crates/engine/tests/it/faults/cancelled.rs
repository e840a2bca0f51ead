//! Somebody calls a run off while one of its steps is made: by a loop over the steps of every procedure
//! that carries out a maintenance.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use upkeep_domain::procedure::Direction;
use upkeep_domain::refusal::RefusalKind;
use upkeep_engine::{Boundary, Unwatched};
use upkeep_testkit::sim::Sim;

use super::takeover::Stopped;
use crate::case::{Case, Disturbance, tables, wrong};
use crate::stage::{Ended, PATIENCE, RELEASES, Stage, engine, server};
use crate::table::{Step, Way};
use crate::watch::At;

const OF_MAINTENANCES: [&str; 4] = ["changeover", "restart", "failover", "follower_changeover"];
/// Each has an engine on a thread of its own, and its connections.
const AT_A_TIME: usize = 24;

/// Called off when the effect of `step` is there, and its end not recorded yet.
async fn call_off(stage: &Stage, case: &Case, step: &Step) -> Ended {
    let sim = Arc::new(Sim::new(&RELEASES));
    case.lead(&sim);
    let at = At {
        procedure: case.table.procedure,
        step: step.name,
        boundary: Boundary::AfterEffect,
    };
    let idle = engine(&stage.store, &sim, Arc::new(Unwatched), "nobody");
    let database = case.begin(stage, &idle, &sim).await;
    let running = Stopped::start(stage, &sim, at);
    running.reached().await;
    let row = stage.database(database).await.expect("it is there");
    let called = idle.cancel_maintenance(&row, "ama").await;
    let refused = called.err().map(|refusal| refusal.kind);
    let too_late = step.direction != Direction::Forward;
    assert_eq!(refused, too_late.then_some(RefusalKind::Conflict), "{at:?}");
    let ended = running.go_on_until(stage.end(database, PATIENCE)).await;
    assert_eq!(wrong(stage, &sim, ended).await, [] as [&str; 0], "{at:?}");
    if ended == Ended::RolledBack {
        let told = stage.store.maintenances(database, 1).await;
        let why = told.expect("the store answers").remove(0).sentence;
        assert_eq!(why.as_deref(), Some("called off by ama"), "{at:?}");
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_called_off_is_undone_as_long_as_it_can_be_and_finished_otherwise() {
    let server = server().await;
    let mut called_off = Vec::new();
    for table in tables() {
        if !OF_MAINTENANCES.contains(&table.procedure) {
            continue;
        }
        let straight = table.steps.iter().filter(|step| step.way == Way::Straight);
        let straight: Vec<Step> = straight.copied().collect();
        for pair in straight.windows(2) {
            let (step, next) = (pair[0], pair[1]);
            if !table
                .disturbed()
                .any(|disturbed| disturbed.name == step.name)
            {
                continue;
            }
            let expected = match next.direction {
                Direction::Forward => Ended::RolledBack,
                _ => Ended::Succeeded,
            };
            let stage = Stage::new(&server, &format!("stage_{}", called_off.len())).await;
            let case = Case::new(&table, Way::Straight, Disturbance::None);
            called_off.push(async move {
                let ended = call_off(&stage, &case, &step).await;
                assert_eq!(ended, expected, "{case:?} at {}", step.name);
                ended
            });
        }
    }
    let ends = stream::iter(called_off).buffer_unordered(AT_A_TIME);
    let ends: Vec<Ended> = ends.collect().await;
    let undone = ends.iter().filter(|end| **end == Ended::RolledBack).count();
    assert!(
        undone > 30 && ends.len() > undone + 10,
        "{undone} of {} undone",
        ends.len()
    );
}
