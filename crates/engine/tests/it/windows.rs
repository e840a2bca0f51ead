//! Windows and weeks as people choose them, on rows of a real state database.

use jiff::{SignedDuration, Timestamp};
use upkeep_domain::maintenance::Window;
use upkeep_domain::maintenance::schedule::Week;
use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_engine::request::{WindowChange, WindowWish};
use upkeep_store::Database;

use crate::requests::Desk;
use crate::stage::FIRST;

const RELEASES: [&str; 2] = [FIRST, "15.20-b"];

impl Desk {
    async fn row(&self) -> Database {
        let row = self.stage.database(self.database.id).await;
        row.expect("it is there")
    }

    async fn changed(&self, day: &str, time: &str) -> Result<WindowChange, Refusal> {
        let wish = WindowWish {
            day: day.to_owned(),
            time: time.to_owned(),
            zone: None,
        };
        self.engine.change_window(&self.row().await, &wish).await
    }

    async fn window(&self) -> Window {
        let window = self.engine.need_window(&self.row().await);
        window.expect("its plan has one")
    }

    /// A maintenance for the window's opening in so many weeks from now, required a year from now.
    async fn planned_in(&self, weeks: usize) -> Timestamp {
        let now = self.stage.store.now().await.expect("the store answers");
        let window = self.window().await;
        let opening = window
            .openings(now)
            .nth(weeks)
            .expect("it opens every week");
        let required_by = now + SignedDuration::from_hours(300 * 24);
        let sql = format!(
            "INSERT INTO upkeep.maintenances (id, database_id, status, method, reason, release_before, release_after,
                                              required_by, scheduled_for)
             VALUES (gen_random_uuid(), '{}', 'pending', 'changeover', 'security_release', '15.18-a', '15.20-b',
                     '{required_by}', '{}')",
            self.database.id, opening.from
        );
        self.stage.change(&sql).await;
        opening.from
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_begins_with_the_window_of_its_id_and_keeps_the_one_that_is_chosen() {
    let desk = Desk::open(&RELEASES).await;
    assert_eq!(desk.window().await, Window::default_of(desk.database.id));
    let change = desk.changed("Sundays", "1:30PM").await.unwrap();
    assert_eq!(change.previous, Window::default_of(desk.database.id));
    assert_eq!(change.moved, None);
    assert_eq!(
        desk.window().await.to_string(),
        "Sundays 13:30 to 17:30 UTC"
    );
    let badly = desk.changed("sunday", "13:31");
    desk.refuses(RefusalKind::Invalid, badly).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_window_moves_what_is_planned_and_a_week_too() {
    let desk = Desk::open(&RELEASES).await;
    let first = desk.planned_in(3).await;
    let moved = desk
        .changed("sunday", "13:30")
        .await
        .unwrap()
        .moved
        .unwrap();
    assert_eq!(moved.previously_scheduled_for, Some(first));
    let sunday = moved.scheduled_for.unwrap();
    let same_week = sunday.duration_since(first).abs() < SignedDuration::from_hours(7 * 24);
    assert!(same_week, "{first} {sunday}");

    let week = SignedDuration::from_hours(7 * 24);
    let row = desk.row().await;
    let later = async |request| desk.engine.reschedule(&row, Week::Later(2), request).await;
    let done = later("r1").await.unwrap();
    assert_eq!(done.moved.previously_scheduled_for, Some(sunday));
    assert_eq!(done.moved.scheduled_for, Some(sunday + week * 2));
    // The same request again moves nothing; another one does.
    assert_eq!(later("r1").await.unwrap().moved, done.moved);
    let again = later("r2").await.unwrap().moved;
    assert_eq!(again.scheduled_for, Some(sunday + week * 4));

    for (week, kind) in [
        (Week::Later(-30), RefusalKind::Invalid),
        (Week::Later(53), RefusalKind::Invalid),
        (
            Week::Of("2020-01-01".parse().unwrap()),
            RefusalKind::Invalid,
        ),
    ] {
        let asked = desk.engine.reschedule(&row, week, "r3");
        desk.refuses(kind, asked).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_window_or_a_plan_there_is_nothing_to_choose() {
    let desk = Desk::open(&RELEASES).await;
    let row = desk.row().await;
    let asked = desk.engine.reschedule(&row, Week::Later(1), "r1");
    desk.refuses(RefusalKind::NotReady, asked).await;
    desk.stage.set_plan(desk.database.id, "essential-0").await;
    let row = desk.row().await;
    assert_eq!(desk.engine.window(&row), Ok(None));
    let asked = desk.changed("sunday", "13:30");
    desk.refuses(RefusalKind::Invalid, asked).await;
    let asked = desk.engine.reschedule(&row, Week::Later(1), "r1");
    desk.refuses(RefusalKind::Invalid, asked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_by_hand_takes_up_what_is_planned() {
    let desk = Desk::open(&RELEASES).await;
    let scheduled_for = desk.planned_in(3).await;
    let planned = desk
        .stage
        .store
        .planned(desk.database.id)
        .await
        .unwrap()
        .unwrap();
    let run = crate::stage::maintenance_of(desk.row().await);
    let begun = desk.engine.run_maintenance(run).await.unwrap();
    assert_eq!(begun.id, planned.maintenance.id);
    assert_eq!(
        (begun.status.as_str(), begun.reason.as_str()),
        ("running", "security_release")
    );
    assert_eq!(begun.scheduled_for, Some(scheduled_for));
    assert_eq!(begun.window_then, Some(desk.window().await.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_leaves_the_newer_release_that_is_planned_to_be_done() {
    let desk = Desk::open(&RELEASES).await;
    desk.planned_in(3).await;
    let run = upkeep_engine::request::RunMaintenance {
        method: Some("restart".to_owned()),
        ..crate::stage::maintenance_of(desk.row().await)
    };
    let begun = desk.engine.run_maintenance(run).await.unwrap();
    assert_eq!(begun.reason, "requested");
    let planned = desk.stage.store.planned(desk.database.id).await.unwrap();
    assert!(planned.is_some_and(|planned| planned.maintenance.id != begun.id));
}
