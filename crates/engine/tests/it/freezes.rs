//! Freezes as people set them: what is planned goes out of their way, and people are told.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use upkeep_domain::id::AppId;
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::schedule::Week;
use upkeep_domain::maintenance::{Freeze, Outlook};
use upkeep_domain::refusal::RefusalKind;
use upkeep_store::Maintenance;
use uuid::Uuid;

use crate::case::run;
use crate::requests::Desk;
use crate::stage::{FIRST, planning_engine};

const RELEASES: [&str; 2] = [FIRST, "15.20-b"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_planned_is_moved_out_of_a_new_freeze_and_cannot_be_moved_into_it() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let planned = desk.planned_as("it is planned", |_| true).await;
    let first = planned.scheduled_for.expect("a window fits");
    let day = first.strftime("%Y-%m-%d").to_string();
    // Windows may go over midnight.
    let behind = (first + SignedDuration::from_hours(24))
        .strftime("%Y-%m-%d")
        .to_string();
    let freeze = |scope, because| Freeze::typed(scope, (&day, &behind), None, because).unwrap();

    let name = "another".parse().unwrap();
    let id = AppId(Uuid::from_u128(77));
    let other = desk.stage.store.insert_app(id, &name);
    let other = other.await.unwrap();
    let of_other = freeze(Scope::App(other.id), "of another app");
    desk.engine
        .add_freeze(&of_other, "ama", None)
        .await
        .unwrap();
    let own = freeze(Scope::App(desk.database.app_id), "closing of books");
    let kept = desk.engine.add_freeze(&own, "ama", None).await.unwrap();
    let of_another_time =
        |planned: &Maintenance| planned.scheduled_for.is_some_and(|at| at != first);
    let moved = desk.planned_as("it is moved", of_another_time).await;
    assert_eq!(moved.id, planned.id);
    assert_eq!(moved.previously_scheduled_for, Some(first));
    let note = moved.schedule_note.as_deref().unwrap_or_default();
    assert!(
        note.contains("moved out of a freeze (closing of books, from "),
        "{note}"
    );
    assert_eq!(
        desk.notices(&desk.database).await,
        ["maintenance_scheduled", "maintenance_changed"],
        "nobody is told of what is another's"
    );

    let week = Week::Of(first.to_zoned(TimeZone::UTC).date());
    let into_it = desk.engine.reschedule(&desk.database, week, "r1");
    let refusal = into_it.await.unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Conflict, "{refusal:?}");
    assert!(refusal.sentence.contains("closing of books"), "{refusal:?}");
    desk.engine.remove_freeze(kept.id).await.unwrap();
    let again = desk.engine.remove_freeze(kept.id).await.unwrap_err();
    assert_eq!(again.kind, RefusalKind::NotFound);
    let into_it = desk.engine.reschedule(&desk.database, week, "r2");
    assert_eq!(into_it.await.unwrap().moved.scheduled_for, Some(first));
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_leaves_only_late_windows_is_told_once() {
    let desk = Desk::open(&RELEASES).await;
    let running = run(&planning_engine(&desk.stage.store, &desk.sim));
    let planned = desk.planned_as("it is planned", |_| true).await;
    let required_by = planned.required_by.expect("it is required");
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    let period = (day(planned.created_at), day(required_by));
    let freeze = Freeze::typed(Scope::Fleet, (&period.0, &period.1), None, "closing").unwrap();
    desk.engine.add_freeze(&freeze, "ama", None).await.unwrap();
    let is_late = |planned: &Maintenance| planned.scheduled_for.is_some_and(|at| at > required_by);
    let late = desk
        .planned_as("it is planned behind the freeze", is_late)
        .await;
    let note = late.schedule_note.clone().unwrap_or_default();
    assert!(note.starts_with("overdue: "), "{note}");
    assert!(note.contains("moved out of a freeze (closing, "), "{note}");
    let outlooks = desk.outlooks().await;
    assert_eq!(outlooks, [Outlook::Late]);

    desk.a_turn_goes_by().await;
    let after = desk.planned_for(&desk.database).await.unwrap();
    assert_eq!(after.schedule_note, late.schedule_note);
    assert_eq!(
        desk.notices(&desk.database).await,
        ["maintenance_scheduled", "maintenance_changed"]
    );
    running.abort();
}
