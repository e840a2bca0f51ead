//! What a person requires is planned like anything else, and in an emergency done now.

use upkeep_domain::maintenance::Freeze;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_testkit::sim::{Fault, Place};

use crate::case::{provisioned, run};
use crate::requests::Desk;
use crate::stage::{FIRST, planning_engine, wait_until};

const BECAUSE: &str = "a disk of its host fails";

impl Desk {
    async fn require(&self, emergency: bool) {
        let required =
            self.engine
                .require_maintenance(&self.database, BECAUSE, emergency, "ama", None);
        required.await.expect("it can be required");
    }

    /// Everybody has been looked at since.
    async fn another_has_its_turn(&self) {
        let other = provisioned(&self.stage, &self.sim).await;
        let required = self
            .engine
            .require_maintenance(&other, BECAUSE, false, "ama", None);
        required.await.expect("it can be required");
        wait_until("the next one is planned", async || {
            self.planned_for(&other).await.is_some()
        })
        .await;
    }

    async fn outcomes(&self) -> Vec<Option<String>> {
        let runs = self.stage.store.maintenances(self.database.id, 99).await;
        let runs = runs.expect("the store answers");
        runs.into_iter().map(|run| run.outcome).collect()
    }

    async fn ended_as(&self, outcomes: &[&str]) {
        wait_until(&format!("its runs ended {outcomes:?}"), async || {
            let ended = self.outcomes().await;
            let ended = ended.iter().map(Option::as_deref);
            ended.eq(outcomes.iter().copied().map(Some))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_required_is_planned_for_a_window_and_withdrawn_with_the_wish() {
    let desk = Desk::open(&[FIRST]).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.require(false).await;
    let planned = desk.planned_as("it is planned", |_| true).await;
    assert_eq!(
        (planned.reason.as_str(), planned.method.as_str()),
        ("requested", "restart")
    );
    assert_eq!(
        planned.reason_because.as_deref(),
        Some("ama wants it: a disk of its host fails")
    );
    assert!(planned.scheduled_for > Some(planned.created_at));
    let required = desk.engine.require_no_more(&desk.database).await;
    assert_eq!(required.expect("it was required").because, BECAUSE);
    wait_until("it is withdrawn", async || {
        desk.planned_for(&desk.database).await.is_none()
    })
    .await;
    let again = desk.engine.require_no_more(&desk.database).await;
    assert!(again.unwrap_err().sentence.contains("nobody requires"));
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_waits_for_no_window_and_no_freeze_and_is_done_once() {
    let desk = Desk::open(&[FIRST]).await;
    let closing = Freeze::typed(Scope::Fleet, ("2020-01-01", "2099-12-31"), None, "closed");
    let closing = closing.expect("it is a freeze");
    desk.engine.add_freeze(&closing, "ama", None).await.unwrap();
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.require(true).await;
    desk.ended_as(&["succeeded"]).await;
    desk.another_has_its_turn().await;
    desk.ended_as(&["succeeded"]).await;
    assert_eq!(
        desk.notices(&desk.database).await,
        [
            "maintenance_emergency",
            "maintenance_started",
            "maintenance_succeeded"
        ]
    );
    assert!(desk.planned_for(&desk.database).await.is_none());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_is_begun_however_long_runs_take_and_is_never_over_time() {
    let desk = Desk::open(&[FIRST]).await;
    desk.require(true).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.ended_as(&["succeeded"]).await;
    let long = r#"UPDATE upkeep.maintenances SET steps_ms = '{"stop": 20000000}'"#;
    desk.stage.change(long).await;
    let checkpoint = Place {
        procedure: "restart",
        step: "checkpoint",
        call: 0,
    };
    desk.sim.inject(checkpoint, Fault::HangBefore);
    desk.require(true).await;
    desk.sim.hung().await;
    let long_ago = "UPDATE upkeep.maintenances SET scheduled_for = now() - interval '9 hours'";
    desk.stage.change(long_ago).await;
    desk.another_has_its_turn().await;
    let called_off = "SELECT id::text FROM upkeep.workflows WHERE cancelled_by IS NOT NULL";
    assert!(desk.stage.texts(called_off).await.is_empty());
    running.abort();
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.ended_as(&["succeeded", "succeeded"]).await;
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_that_is_taken_back_leaves_what_else_is_due_its_window() {
    let desk = Desk::open(&[FIRST, "15.20-b"]).await;
    let copy = Place {
        procedure: "changeover",
        step: "base_backup",
        call: 0,
    };
    desk.sim.inject_for_ever(copy, Fault::Failed);
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.require(true).await;
    desk.ended_as(&["rolled_back"]).await;
    let engine = &desk.engine;
    engine.require_no_more(&desk.database).await.unwrap();
    let planned = desk.planned_as("it has its window", |planned| {
        planned.reason == "security_release" && planned.scheduled_for > Some(planned.created_at)
    });
    let planned = planned.await;
    assert_eq!(planned.method, "changeover");
    desk.ended_as(&["rolled_back"]).await;
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_that_is_sent_again_is_no_second_one() {
    let desk = Desk::open(&[FIRST]).await;
    let ask = async |id| {
        let required =
            desk.engine
                .require_maintenance(&desk.database, BECAUSE, true, "ama", Some(id));
        required.await.expect("it can be required").since
    };
    let first = ask("one").await;
    assert_eq!(ask("one").await, first);
    assert!(ask("two").await > first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_takes_the_place_of_what_is_planned_for_later() {
    let desk = Desk::open(&[FIRST]).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.require(false).await;
    let planned = desk.planned_as("it is planned", |_| true).await;
    assert!(planned.scheduled_for > Some(planned.created_at));
    desk.require(true).await;
    desk.ended_as(&["succeeded"]).await;
    assert_eq!(
        desk.notices(&desk.database).await[..2],
        ["maintenance_scheduled", "maintenance_emergency"]
    );
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_that_a_person_calls_off_is_not_begun_again_until_it_is_required_anew() {
    let desk = Desk::open(&[FIRST]).await;
    let stop = Place {
        procedure: "restart",
        step: "checkpoint",
        call: 0,
    };
    desk.sim.inject(stop, Fault::HangBefore);
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.require(true).await;
    desk.sim.hung().await;
    let called_off = desk.engine.cancel_maintenance(&desk.database, "ben").await;
    called_off.expect("it can be undone");
    // What hangs goes with its engine.
    running.abort();
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.ended_as(&["rolled_back"]).await;
    desk.another_has_its_turn().await;
    desk.ended_as(&["rolled_back"]).await;
    desk.require(true).await;
    desk.ended_as(&["succeeded", "rolled_back"]).await;
    running.abort();
}
