//! What is due is planned by itself: once, for as long as there is a reason, at a time that can be kept.

use jiff::{SignedDuration, Timestamp};
use upkeep_domain::maintenance::{Window, window};
use upkeep_store::{Database, Maintenance};

use crate::case::{provisioned, run};
use crate::requests::Desk;
use crate::stage::{FIRST, planning_engine, wait_until};

const NEWEST: &str = "15.20-b";
const RELEASES: [&str; 2] = [FIRST, NEWEST];
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Desk {
    pub(crate) async fn planned_for(&self, database: &Database) -> Option<Maintenance> {
        let planned = self.stage.store.planned(database.id).await;
        let planned = planned.expect("the store answers");
        planned.map(|planned| planned.maintenance)
    }

    pub(crate) async fn planned_as(
        &self,
        what: &str,
        is_so: impl Fn(&Maintenance) -> bool,
    ) -> Maintenance {
        let mut found = None;
        wait_until(what, async || {
            found = self.planned_for(&self.database).await.filter(&is_so);
            found.is_some()
        })
        .await;
        found.expect("it was waited for")
    }

    /// Kinds of notices about it, in order.
    pub(crate) async fn notices(&self, database: &Database) -> Vec<String> {
        let sql = format!(
            "SELECT kind FROM upkeep.outbox WHERE database_id = '{}' ORDER BY id",
            database.id
        );
        self.stage.texts(&sql).await
    }
}

fn is_an_opening(window: &Window, at: Timestamp) -> bool {
    window
        .openings(at)
        .next()
        .is_some_and(|opening| opening.from == at)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_release_is_planned_once_in_the_window_behind_the_notice() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let planned = desk.planned_as("it is planned", |_| true).await;
    assert_eq!(
        (planned.status.as_str(), planned.reason.as_str()),
        ("pending", "security_release")
    );
    assert_eq!(
        planned.reason_because.as_deref(),
        Some("PostgreSQL 15.20 closes security holes")
    );
    assert_eq!(
        (planned.method.as_str(), planned.release_after.as_str()),
        ("changeover", NEWEST)
    );
    let required_by = planned.required_by.unwrap();
    assert_eq!(required_by, desk.database.created_at + DAY * 14);
    let begins = planned.scheduled_for.unwrap();
    let window = desk.engine.need_window(&desk.database).unwrap();
    assert!(is_an_opening(&window, begins), "{begins}");
    assert!(begins + window::LENGTH <= required_by, "{begins}");
    let has_notice = begins >= planned.created_at + DAY * 7;
    assert_eq!(
        has_notice,
        planned.schedule_note.is_none(),
        "{begins} {planned:?}"
    );

    // A later one is planned too, and the first one is left as it was.
    let second = provisioned(&desk.stage, &desk.sim).await;
    wait_until("the second one is planned", async || {
        desk.planned_for(&second).await.is_some()
    })
    .await;
    assert_eq!(
        desk.notices(&desk.database).await,
        ["maintenance_scheduled"]
    );
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planned_goes_with_its_reason_and_comes_with_another() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.planned_as("it is planned", |_| true).await;
    let id = desk.database.id;
    let upgraded =
        format!("UPDATE upkeep.instances SET release = '{NEWEST}' WHERE database_id = '{id}'");
    desk.stage.change(&upgraded).await;
    wait_until("it is withdrawn", async || {
        desk.planned_for(&desk.database).await.is_none()
    })
    .await;
    let old = format!(
        "UPDATE upkeep.databases SET created_at = now() - interval '100 days' WHERE id = '{id}'"
    );
    desk.stage.change(&old).await;
    let routine = desk.planned_as("it is routine", |planned| {
        planned.reason == "routine_maintenance"
    });
    let routine = routine.await;
    assert_eq!(
        (routine.method.as_str(), routine.release_after.as_str()),
        ("restart", NEWEST)
    );
    let required_in = routine
        .required_by
        .unwrap()
        .duration_since(routine.created_at);
    assert!(
        (DAY * 19..=DAY * 20).contains(&required_in),
        "{required_in}"
    );
    let notices = desk.notices(&desk.database).await;
    let expected = [
        "maintenance_scheduled",
        "maintenance_withdrawn",
        "maintenance_scheduled",
    ];
    assert_eq!(notices, expected);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_wait_for_a_restart_are_planned_for_until_they_wait_no_more() {
    let desk = Desk::open(&[FIRST]).await;
    let primary = desk.database.primary_instance.expect("it has one");
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    desk.sim.let_wait(primary, "max_connections");
    let planned = desk.planned_as("it is planned", |_| true).await;
    assert_eq!(
        (planned.reason.as_str(), planned.method.as_str()),
        ("waiting_settings", "restart")
    );
    assert_eq!(
        planned.reason_because.as_deref(),
        Some("max_connections waits for a restart")
    );
    desk.sim.let_wait(primary, "shared_buffers");
    let both = |planned: &Maintenance| {
        let because = planned.reason_because.as_deref().unwrap_or_default();
        because == "max_connections, shared_buffers wait for a restart"
    };
    let more = desk.planned_as("both are waited for", both).await;
    assert_eq!(
        (more.id, more.required_by, more.scheduled_for),
        (planned.id, planned.required_by, planned.scheduled_for),
        "it is required since the first of them waited"
    );
    desk.time_passes(&desk.database, "1 minute").await;
    desk.ended(&desk.database, &["succeeded"]).await;
    let other = provisioned(&desk.stage, &desk.sim).await;
    desk.sim
        .let_wait(other.primary_instance.unwrap(), "wal_level");
    wait_until("the other one is planned", async || {
        desk.planned_for(&other).await.is_some()
    })
    .await;
    assert!(desk.planned_for(&desk.database).await.is_none());

    desk.sim.let_wait(primary, "max_connections");
    let again = desk.planned_as("it is planned again", |_| true).await;
    assert!(again.required_by > planned.required_by, "{again:?}");
    desk.sim.let_wait_no_more(primary);
    wait_until("it is withdrawn", async || {
        desk.planned_for(&desk.database).await.is_none()
    })
    .await;
    assert_eq!(
        desk.notices(&desk.database).await,
        [
            "maintenance_scheduled",
            "maintenance_changed",
            "maintenance_started",
            "maintenance_succeeded",
            "maintenance_scheduled",
            "maintenance_withdrawn",
        ]
    );
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_was_missed_is_told_and_the_next_one_taken() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let first = desk.planned_as("it is planned", |_| true).await;
    // Long required, and its window is over.
    let id = desk.database.id;
    let at_once = format!(
        "UPDATE upkeep.databases SET created_at = now() - interval '30 days' WHERE id = '{id}';
         UPDATE upkeep.maintenances SET scheduled_for = now() - interval '5 hours' WHERE database_id = '{id}'"
    );
    desk.stage.change(&at_once).await;
    let is_late = |planned: &Maintenance| {
        let note = planned.schedule_note.as_deref().unwrap_or_default();
        note.contains("missed its window of")
    };
    let late = desk.planned_as("it is planned anew", is_late).await;
    assert_eq!(late.id, first.id);
    let note = late.schedule_note.unwrap();
    assert!(
        note.starts_with("overdue: no window ends before it is required"),
        "{note}"
    );
    let now = desk.stage.store.now().await.unwrap();
    assert!(late.scheduled_for.unwrap() >= now);
    assert!(late.previously_scheduled_for.unwrap() < now);
    assert!(note.contains("Upkeep did not run"), "{note}");
    let notices = desk.notices(&desk.database).await;
    assert_eq!(notices, ["maintenance_scheduled", "maintenance_missed"]);
    running.abort();
}
