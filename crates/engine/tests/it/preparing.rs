//! What builds a replacement is prepared before its window and switched in it; until then it is ready, and people may
//! have it now, not at all, or not in a freeze.

use tokio::task::JoinHandle;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::schedule::Week;
use upkeep_domain::maintenance::{Freeze, Outlook, Status};
use upkeep_engine::request::{RunMaintenance, WindowWish};
use upkeep_store::Maintenance;

use crate::case::run;
use crate::requests::Desk;
use crate::stage::{Ended, FIRST, PATIENCE, follow, planning_engine, wait_until};

const RELEASES: [&str; 2] = [FIRST, "15.20-b"];
const SOON: &str = "-10 minutes";

impl Desk {
    /// With its replacement, before its window.
    async fn is_ready(&self) -> Maintenance {
        self.planned_as("it is planned", |_| true).await;
        self.time_passes(&self.database, SOON).await;
        self.has_status("ready").await
    }

    async fn has_status(&self, status: &str) -> Maintenance {
        let mut found = None;
        wait_until(&format!("it is {status}"), async || {
            found = self.runs(&self.database).await.into_iter().next();
            found.as_ref().is_some_and(|run| run.status == status)
        })
        .await;
        found.expect("it was waited for")
    }

    async fn its_window_opens(&self) {
        let opens = "UPDATE upkeep.maintenances SET scheduled_for = now() WHERE status = 'ready'";
        self.stage.change(opens).await;
    }

    /// It is over.
    async fn had_an_emergency(&self) {
        let id = self.database.id;
        let past = format!(
            "INSERT INTO upkeep.requirements (database_id, because, emergency, required_by, created_at)
             VALUES ('{id}', 'a disk fails', true, 'ama', now() - interval '2 days');
             INSERT INTO upkeep.maintenances (id, database_id, status, method, reason, release_before, release_after,
                                              outcome, started_at, completed_at)
             VALUES (gen_random_uuid(), '{id}', 'completed', 'restart', 'emergency', '{FIRST}', '{FIRST}', 'succeeded',
                     now() - interval '1 day', now() - interval '1 day')"
        );
        self.stage.change(&past).await;
    }

    fn was_held(&self) -> bool {
        !self.sim.calls_made("changeover", "hold").is_empty()
    }
}

/// A database whose replacement is ready, and the server that has seen to it.
async fn ready() -> (Desk, JoinHandle<()>, Maintenance) {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let ready = desk.is_ready().await;
    (desk, running, ready)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_is_ready_before_the_window_and_takes_over_in_it() {
    let desk = Desk::open(&RELEASES).await;
    desk.had_an_emergency().await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let ready = desk.is_ready().await;
    let store = &desk.stage.store;
    for status in [Status::Preparing, Status::Running] {
        let going_on = store.maintenances_going_on(status).await;
        assert_eq!(going_on.unwrap(), 0, "it is in nobody's way");
    }
    desk.a_turn_goes_by().await;
    assert_eq!(desk.has_status("ready").await.id, ready.id);
    assert_eq!(
        desk.notices(&desk.database).await,
        ["maintenance_scheduled"]
    );
    assert!(!desk.was_held());
    let outlooks = desk.outlooks().await;
    assert!(
        outlooks
            .iter()
            .all(|outlook| *outlook == Outlook::Scheduled),
        "{outlooks:?}"
    );
    let later = desk.engine.reschedule(&desk.database, Week::Later(1), "id");
    let refusal = later.await.map(drop).unwrap_err();
    assert!(refusal.sentence.contains("keeps its time"), "{refusal:?}");
    desk.its_window_opens().await;
    desk.ended(&desk.database, &["succeeded", "succeeded"])
        .await;
    let [run, _] = &desk.runs(&desk.database).await[..] else {
        panic!("it ran once");
    };
    assert!(run.started_at >= run.scheduled_for, "{run:?}");
    assert_eq!(run.begun_by.as_deref(), Some("Upkeep"));
    assert_eq!(
        desk.notices(&desk.database).await,
        [
            "maintenance_scheduled",
            "maintenance_started",
            "maintenance_succeeded"
        ]
    );
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_while_it_is_ready_does_not_build_it_again() {
    let (desk, running, ready) = ready().await;
    let instances = desk.stage.store.instances(desk.database.id).await.unwrap();
    running.abort();
    let _ = running.await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.a_turn_goes_by().await;
    desk.its_window_opens().await;
    desk.ended(&desk.database, &["succeeded"]).await;
    let primary = desk.stage.database(desk.database.id).await.unwrap();
    let built = instances.iter().map(|instance| Some(instance.id));
    assert!({ built }.any(|built| built == primary.primary_instance));
    assert_eq!(desk.runs(&desk.database).await[0].id, ready.id);
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_have_at_once_what_is_ready() {
    let (desk, running, ready) = ready().await;
    let request = || RunMaintenance {
        request_id: Some("once".to_owned()),
        by: "ama".to_owned(),
        ..desk.maintenance(None)
    };
    for _ in 0..2 {
        let begun = desk.engine.run_maintenance(request()).await.unwrap();
        assert_eq!(begun.id, ready.id);
    }
    desk.ended(&desk.database, &["succeeded"]).await;
    let run = &desk.runs(&desk.database).await[0];
    assert_eq!(run.begun_by.as_deref(), Some("ama"));
    assert!(run.completed_at < run.scheduled_for, "{run:?}");
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emergency_does_not_wait_for_the_window_of_what_is_ready() {
    let (desk, running, _) = ready().await;
    let because = "a disk fails";
    let required = desk
        .engine
        .require_maintenance(&desk.database, because, true, "ama", None);
    required.await.unwrap();
    desk.ended(&desk.database, &["succeeded"]).await;
    assert_eq!(
        desk.notices(&desk.database).await,
        [
            "maintenance_scheduled",
            "maintenance_emergency",
            "maintenance_started",
            "maintenance_succeeded"
        ]
    );
    assert_eq!(desk.runs(&desk.database).await[0].reason, "emergency");
    desk.a_turn_goes_by().await;
    assert!(desk.planned_for(&desk.database).await.is_none());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_called_off_while_it_is_ready_is_done_in_the_next_window() {
    let (desk, running, _) = ready().await;
    let called_off = desk.engine.cancel_maintenance(&desk.database, "ama");
    called_off.await.unwrap();
    desk.ended(&desk.database, &["rolled_back"]).await;
    let missed = |planned: &Maintenance| planned.scheduled_for > planned.previously_scheduled_for;
    desk.planned_as("it is planned anew", missed).await;
    assert_eq!(
        desk.missed_because(&desk.database).await,
        ["it was called off by ama"]
    );
    assert_eq!(desk.sim.unsettled(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ready_does_not_take_over_in_what_is_left_of_a_window() {
    let (desk, running, _) = ready().await;
    running.abort();
    let _ = running.await;
    let nearly_over = "
        UPDATE upkeep.maintenances
        SET go_on_until = go_on_until - (scheduled_for - now()) - interval '230 minutes',
            scheduled_for = now() - interval '230 minutes' WHERE status = 'ready'";
    desk.stage.change(nearly_over).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.ended(&desk.database, &["rolled_back"]).await;
    let run = &desk.runs(&desk.database).await[0];
    let because = run.sentence.as_deref().unwrap_or_default();
    assert!(because.contains("too short"), "{because}");
    assert!(!desk.was_held());
    let missed = |planned: &Maintenance| planned.scheduled_for > planned.previously_scheduled_for;
    desk.planned_as("it is planned anew", missed).await;
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_window_is_not_chosen_while_it_is_ready_for_the_old_one() {
    let (desk, running, _) = ready().await;
    let wish = WindowWish {
        day: "sunday".to_owned(),
        time: "2:00".to_owned(),
        zone: None,
    };
    let before = desk.engine.need_window(&desk.database).unwrap();
    let changed = desk.engine.change_window(&desk.database, &wish).await;
    let refusal = changed.map(drop).unwrap_err();
    assert!(refusal.sentence.contains("keeps its time"), "{refusal:?}");
    let database = desk.stage.database(desk.database.id).await.unwrap();
    assert_eq!(desk.engine.need_window(&database).unwrap(), before);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_is_seen_to_while_its_leader_waits_for_a_window() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let follower = follow(&desk.engine, &desk.database).await;
    assert_eq!(
        desk.stage.end(follower.id, PATIENCE).await,
        Ended::Succeeded
    );
    desk.is_ready().await;
    let follower = desk.stage.database(follower.id).await.unwrap();
    let instance = follower.primary_instance.expect("it has one");
    desk.sim.crash(instance);
    wait_until("it runs again", async || {
        desk.sim.observe(instance).accepts_connections
    })
    .await;
    assert_eq!(desk.has_status("ready").await.outcome, None);
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_comes_while_it_is_ready_is_kept() {
    let (desk, running, _) = ready().await;
    let freeze = Freeze::typed(Scope::Fleet, ("01-01", "12-31"), None, "closing").unwrap();
    desk.stage
        .store
        .add_freeze(&freeze, "ama", None)
        .await
        .unwrap();
    desk.its_window_opens().await;
    desk.ended(&desk.database, &["rolled_back"]).await;
    let run = &desk.runs(&desk.database).await[0];
    let because = run.sentence.as_deref().unwrap_or_default();
    assert!(because.contains("in a freeze (closing"), "{because}");
    assert!(!desk.was_held());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_builds_nothing_is_begun_by_its_window_only() {
    let desk = Desk::open(&[FIRST]).await;
    let primary = desk.database.primary_instance.expect("it has one");
    desk.sim.let_wait(primary, "max_connections");
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.planned_as("it is planned", |_| true).await;
    desk.time_passes(&desk.database, SOON).await;
    let other = crate::case::provisioned(&desk.stage, &desk.sim).await;
    desk.sim
        .let_wait(other.primary_instance.unwrap(), "wal_level");
    wait_until("the other one is planned", async || {
        desk.planned_for(&other).await.is_some()
    })
    .await;
    assert_eq!(desk.runs(&desk.database).await.len(), 0, "it is not open");
    desk.time_passes(&desk.database, "0 minutes").await;
    desk.ended(&desk.database, &["succeeded"]).await;
    running.abort();
}
