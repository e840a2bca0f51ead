//! What is planned is begun by itself: in its window, once, again after a run that was rolled back as long as there is
//! time, and what is missed is told and planned anew.

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use upkeep_domain::maintenance::Outlook;
use upkeep_store::{Database, Maintenance};
use upkeep_testkit::sim::{Fault, Place};

use crate::case::{provisioned, run};
use crate::requests::Desk;
use crate::stage::{FIRST, planning_engine, planning_engine_of, wait_until};

const NEWEST: &str = "15.20-b";
const RELEASES: [&str; 2] = [FIRST, NEWEST];
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const COPY: Place = Place {
    procedure: "changeover",
    step: "base_backup",
    call: 0,
};

impl Desk {
    fn plan_and_run(&self) -> JoinHandle<()> {
        run(&planning_engine(&self.stage.store, &self.sim))
    }

    /// The window of what is planned has been open for so long, and with it what became of it there.
    pub(crate) async fn time_passes(&self, database: &Database, opened: &str) {
        let id = database.id;
        let sql = format!(
            "UPDATE upkeep.maintenances m
             SET completed_at = completed_at - (p.at - now() + interval '{opened}'),
                 scheduled_for = now() - interval '{opened}'
             FROM (SELECT scheduled_for AS at FROM upkeep.maintenances
                   WHERE database_id = '{id}' AND started_at IS NULL) p
             WHERE m.database_id = '{id}' AND m.scheduled_for = p.at"
        );
        self.stage.change(&sql).await;
    }

    /// The newest first.
    pub(crate) async fn runs(&self, database: &Database) -> Vec<Maintenance> {
        let all = self.stage.store.maintenances(database.id, 99).await;
        all.expect("the store answers")
    }

    pub(crate) async fn ended(&self, database: &Database, outcomes: &[&str]) {
        wait_until(&format!("its runs ended {outcomes:?}"), async || {
            let runs = self.runs(database).await;
            let ended = runs.iter().map(|run| run.outcome.as_deref());
            ended.eq(outcomes.iter().copied().map(Some))
        })
        .await;
    }

    /// Everybody has been looked at since.
    pub(crate) async fn a_turn_goes_by(&self) {
        let other = provisioned(&self.stage, &self.sim).await;
        wait_until("the next one is planned", async || {
            self.planned_for(&other).await.is_some()
        })
        .await;
    }

    /// Of the whole fleet, in its order.
    pub(crate) async fn outlooks(&self) -> Vec<Outlook> {
        let fleet = self.engine.fleet().await.expect("the store answers");
        fleet.iter().map(|one| one.outlook).collect()
    }

    pub(crate) async fn missed_because(&self, database: &Database) -> Vec<String> {
        let sql = format!(
            "SELECT body ->> 'because' FROM upkeep.outbox
             WHERE database_id = '{}' AND kind = 'maintenance_missed' ORDER BY id",
            database.id
        );
        self.stage.texts(&sql).await
    }

    /// A run that hangs in its copy, in an open window.
    async fn hangs_in_its_window(&self) -> JoinHandle<()> {
        let running = self.plan_and_run();
        self.planned_as("it is planned", |_| true).await;
        self.sim.inject(COPY, Fault::HangBefore);
        self.time_passes(&self.database, "1 hour").await;
        self.sim.hung().await;
        running
    }

    /// Its agent does not answer any more: the next server hears that it was called off, and by whom.
    async fn is_done_in_the_next_window(&self, hanging: JoinHandle<()>, called_off_by: &str) {
        hanging.abort();
        let running = self.plan_and_run();
        self.ended(&self.database, &["rolled_back"]).await;
        let next = self.planned_as("it is planned anew", |_| true).await;
        assert_eq!(next.scheduled_for, Some(self.next_opening().await));
        assert_eq!(
            self.missed_because(&self.database).await,
            [format!("it was called off by {called_off_by}")]
        );
        running.abort();
    }

    async fn next_opening(&self) -> Timestamp {
        let now = self.stage.store.now().await.expect("the store answers");
        let window = self.engine.need_window(&self.database);
        let window = window.expect("its plan has one");
        let next = window.openings(now).next();
        next.expect("it opens every week").from
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_window_is_maintained_as_needed_and_waits_for_no_notice() {
    let desk = Desk::open(&RELEASES).await;
    desk.stage.set_plan(desk.database.id, "essential-0").await;
    let running = desk.plan_and_run();
    let planned = desk.planned_as("it is planned", |_| true).await;
    let opens_in = planned
        .scheduled_for
        .unwrap()
        .duration_since(planned.created_at);
    assert!(opens_in < WEEK + MINUTE * 30, "{opens_in:?}");
    desk.time_passes(&desk.database, "1 hour").await;
    desk.ended(&desk.database, &["succeeded"]).await;
    let [done] = &desk.runs(&desk.database).await[..] else {
        panic!("it is done once")
    };
    assert_eq!(done.window_then, None);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_begun_in_its_window_by_nobodys_hand_and_once() {
    let desk = Desk::open(&RELEASES).await;
    let running = desk.plan_and_run();
    let planned = desk.planned_as("it is planned", |_| true).await;
    desk.a_turn_goes_by().await;
    assert_eq!(desk.runs(&desk.database).await.len(), 0, "it is not open");
    desk.time_passes(&desk.database, "1 minute").await;
    desk.ended(&desk.database, &["succeeded"]).await;
    desk.a_turn_goes_by().await;
    let [run] = &desk.runs(&desk.database).await[..] else {
        panic!("it ran once");
    };
    assert_eq!(run.id, planned.id);
    assert_eq!(run.begun_by.as_deref(), Some("Upkeep"));
    assert_eq!(
        (run.method.as_str(), run.reason.as_str()),
        ("changeover", "security_release")
    );
    assert!(desk.planned_for(&desk.database).await.is_none());
    let told = [
        "maintenance_scheduled",
        "maintenance_started",
        "maintenance_succeeded",
    ];
    assert_eq!(desk.notices(&desk.database).await, told);
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_rolled_back_is_tried_again_then_missed_and_done_in_the_next_window() {
    let desk = Desk::open(&RELEASES).await;
    let running = desk.plan_and_run();
    desk.planned_as("it is planned", |_| true).await;
    desk.sim.inject_for_ever(COPY, Fault::Refused);
    desk.time_passes(&desk.database, "1 hour").await;
    desk.ended(&desk.database, &["rolled_back"]).await;
    let waits = |planned: &Maintenance| planned.sentence.is_some();
    let again = desk.planned_as("it waits for the next try", waits).await;
    let [first] = &desk.runs(&desk.database).await[..] else {
        panic!("it ran once");
    };
    assert_eq!(again.scheduled_for, first.scheduled_for);
    assert_eq!(
        again.schedule_note.as_deref(),
        Some("again, for it was rolled back")
    );
    let sentence = again.sentence.unwrap();
    assert!(sentence.starts_with("it is tried again at"), "{sentence}");

    let earlier = format!(
        "UPDATE upkeep.maintenances SET completed_at = completed_at - interval '5 minutes' WHERE id = '{}'",
        first.id.0
    );
    desk.stage.change(&earlier).await;
    desk.ended(&desk.database, &["rolled_back", "rolled_back"])
        .await;
    desk.planned_as("it waits for the next try", waits).await;
    assert_eq!(desk.missed_because(&desk.database).await.len(), 0);
    desk.time_passes(&desk.database, "230 minutes").await;
    let missed = |planned: &Maintenance| planned.scheduled_for != again.scheduled_for;
    let is_later = |planned: &Maintenance| planned.scheduled_for > Some(Timestamp::now() - MINUTE);
    let next = desk
        .planned_as("it is planned anew", |planned| {
            missed(planned) && is_later(planned)
        })
        .await;
    assert_eq!(next.scheduled_for, Some(desk.next_opening().await));
    let note = next.schedule_note.unwrap();
    assert!(note.starts_with("missed its window of"), "{note}");
    assert_eq!(next.sentence, None);
    let because = desk.missed_because(&desk.database).await;
    assert_eq!(because.len(), 1, "{because:?}");
    assert!(because[0].contains("rolled back 2 times"), "{because:?}");

    desk.sim.heal();
    desk.time_passes(&desk.database, "0 minutes").await;
    desk.ended(&desk.database, &["succeeded", "rolled_back", "rolled_back"])
        .await;
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_calls_off_is_done_in_the_next_window() {
    let desk = Desk::open(&RELEASES).await;
    let hanging = desk.hangs_in_its_window().await;
    let called_off = desk.engine.cancel_maintenance(&desk.database, "ama");
    called_off.await.unwrap();
    desk.is_done_in_the_next_window(hanging, "ama").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_outlasts_its_window_is_called_off_and_done_in_the_next_one() {
    let desk = Desk::open(&RELEASES).await;
    let hanging = desk.hangs_in_its_window().await;
    let over = "UPDATE upkeep.maintenances SET scheduled_for = now() - interval '4 hours'";
    desk.stage.change(over).await;
    wait_until("it is called off", async || {
        let by = "SELECT cancelled_by FROM upkeep.workflows WHERE cancelled_by IS NOT NULL";
        desk.stage.texts(by).await == ["Upkeep, for its window is over"]
    })
    .await;
    let by = "Upkeep, for its window is over";
    desk.is_done_in_the_next_window(hanging, by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_goes_on_with_what_it_has_begun_and_leaves_alone_what_is_stuck() {
    let desk = Desk::open(&RELEASES).await;
    let running = desk.plan_and_run();
    desk.planned_as("it is planned", |_| true).await;
    desk.sim.inject(COPY, Fault::HangBefore);
    desk.time_passes(&desk.database, "1 minute").await;
    desk.sim.hung().await;
    running.abort();
    let running = desk.plan_and_run();
    desk.ended(&desk.database, &["succeeded"]).await;
    running.abort();

    let second = provisioned(&desk.stage, &desk.sim).await;
    let running = desk.plan_and_run();
    wait_until("the second one is planned", async || {
        desk.planned_for(&second).await.is_some()
    })
    .await;
    let first = Outlook::UpToDate;
    assert_eq!(desk.outlooks().await, [Outlook::Scheduled, first]);
    desk.sim.inject(COPY, Fault::HangBefore);
    desk.time_passes(&second, "1 minute").await;
    desk.sim.hung().await;
    assert_eq!(desk.outlooks().await, [Outlook::Running, first]);
    running.abort();
    let _ = running.await;
    let stuck = "UPDATE upkeep.workflows SET ended_as = 'stuck', leased_until = NULL WHERE ended_as IS NULL;
                 UPDATE upkeep.maintenances SET outcome = 'stuck' WHERE status = 'running'";
    desk.stage.change(stuck).await;
    let running = desk.plan_and_run();
    desk.a_turn_goes_by().await;
    let unfinished = desk.stage.store.unfinished(second.id).await.unwrap();
    assert!(unfinished.expect("it is unfinished").is_stuck);
    assert_eq!(desk.outlooks().await[0], Outlook::Stuck);
    assert_eq!(desk.runs(&second).await.len(), 1);
    assert!(desk.planned_for(&second).await.is_none());
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_whose_windows_coincide_one_goes_on_at_a_time_the_most_urgent_first() {
    let desk = Desk::open(&RELEASES).await;
    let mut fleet = vec![desk.database.clone()];
    for _ in 0..2 {
        fleet.push(provisioned(&desk.stage, &desk.sim).await);
    }
    // The last one is required first.
    for (days, database) in fleet.iter().enumerate() {
        let older = format!(
            "UPDATE upkeep.databases SET created_at = created_at - interval '{days} days' WHERE id = '{}'",
            database.id
        );
        desk.stage.change(&older).await;
    }
    let planner = desk.plan_and_run();
    wait_until("all are planned", async || {
        let mut planned = 0;
        for database in &fleet {
            planned += usize::from(desk.planned_for(database).await.is_some());
        }
        planned == fleet.len()
    })
    .await;
    planner.abort();
    let _ = planner.await;
    for database in &fleet {
        desk.time_passes(database, "1 minute").await;
    }
    let servers =
        ["one", "other"].map(|owner| run(&planning_engine_of(&desk.stage.store, &desk.sim, owner)));
    let mut runs = Vec::new();
    for database in fleet.iter().rev() {
        desk.ended(database, &["succeeded"]).await;
        runs.extend(desk.runs(database).await);
    }
    for pair in runs.windows(2) {
        assert!(
            pair[0].completed_at <= pair[1].started_at,
            "they overlap or are out of order: {pair:?}"
        );
    }
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    for server in servers {
        server.abort();
    }
}
