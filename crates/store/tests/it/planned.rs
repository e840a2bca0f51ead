//! Maintenances that are planned: one per database, moved from where they were seen or not at all, and
//! taken up by the run that carries them out.

use jiff::Timestamp;
use upkeep_domain::id::{AppId, DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::freeze::Scope;
use upkeep_domain::maintenance::{Freeze, Window, Zone};
use upkeep_domain::procedure::End;
use upkeep_store::{Error, Move, NewMaintenance};

use crate::{Fixture, ending, id, maintenance, workflow};

const FIRST: &str = "2030-01-15T17:30:00Z";
const LATER: &str = "2030-01-22T17:30:00Z";
const LATEST: &str = "2030-01-29T17:30:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("it is an instant")
}

async fn planned(fixture: &Fixture, database: DatabaseId) -> MaintenanceId {
    let planned = MaintenanceId(id());
    let sql = "INSERT INTO upkeep.maintenances
                   (id, database_id, status, method, reason, reason_because, release_before, release_after,
                    required_by, scheduled_for)
               VALUES ($1, $2, 'pending', 'changeover', 'security_release', 'there are holes', '15.18-a', '15.20-b',
                       '2030-01-31', $3)";
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&planned.0, &database.0, &at(FIRST)];
    let client = fixture.sql().await;
    client.execute(sql, &values).await.expect("it is planned");
    planned
}

fn moved(planned: MaintenanceId, from: &str, to: &str) -> Move {
    Move {
        maintenance: planned,
        from: Some(at(from)),
        to: at(to),
        note: None,
        request_id: Some(format!("to {to}")),
    }
}

fn sundays() -> Window {
    let berlin = "Europe/Berlin".parse().expect("it is a zone");
    Window::typed("sun", "13:30", berlin).expect("it is a window")
}

#[tokio::test]
async fn what_is_planned_is_moved_from_where_it_was_seen_and_no_other_place() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await.id;
    assert!(store.planned(database).await.unwrap().is_none());
    let planned = planned(&fixture, database).await;
    assert!(
        store
            .move_planned(&moved(planned, FIRST, LATER))
            .await
            .unwrap()
    );
    assert!(
        !store
            .move_planned(&moved(planned, FIRST, LATEST))
            .await
            .unwrap()
    );
    let found = store.planned(database).await.unwrap().unwrap();
    assert_eq!(found.moved_by_request, Some(format!("to {LATER}")));
    let found = found.maintenance;
    assert_eq!(found.scheduled_for, Some(at(LATER)));
    assert_eq!(found.previously_scheduled_for, Some(at(FIRST)));
    assert_eq!(
        fixture
            .count("outbox WHERE kind = 'maintenance_moved'")
            .await,
        1
    );
}

#[tokio::test]
async fn a_window_is_chosen_with_what_it_moves_or_not_at_all() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await.id;
    let chosen = async || {
        let row = store.database(database).await.unwrap().unwrap();
        row.chosen_window.map(|window| window.to_string())
    };
    assert_eq!(chosen().await, None);
    assert!(
        store
            .choose_window(database, &sundays(), None)
            .await
            .unwrap()
    );
    assert_eq!(
        chosen().await.unwrap(),
        "Sundays 13:30 to 17:30 Europe/Berlin"
    );

    let planned = planned(&fixture, database).await;
    let tuesdays = Window::typed("tue", "17:30", Zone::UTC).unwrap();
    let elsewhere = moved(planned, LATER, LATEST);
    for seen in [None, Some(&elsewhere)] {
        assert!(
            !store
                .choose_window(database, &tuesdays, seen)
                .await
                .unwrap()
        );
        assert_eq!(
            chosen().await.unwrap(),
            "Sundays 13:30 to 17:30 Europe/Berlin"
        );
    }
    let rightly = moved(planned, FIRST, LATER);
    assert!(
        store
            .choose_window(database, &tuesdays, Some(&rightly))
            .await
            .unwrap()
    );
    assert_eq!(chosen().await.unwrap(), "Tuesdays 17:30 to 21:30 UTC");
    let found = store.planned(database).await.unwrap().unwrap();
    assert_eq!(found.maintenance.scheduled_for, Some(at(LATER)));
}

#[tokio::test]
async fn a_run_takes_up_what_was_planned_with_its_reasons_and_times() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await;
    let planned = planned(&fixture, database.id).await;
    let run = NewMaintenance {
        id: planned,
        window: Some("Tuesdays 17:30 to 21:30 UTC".to_owned()),
        ..maintenance()
    };
    store
        .begin_maintenance(&workflow(&database), &run, None)
        .await
        .unwrap();
    assert!(store.planned(database.id).await.unwrap().is_none());
    assert!(
        !store
            .move_planned(&moved(planned, FIRST, LATER))
            .await
            .unwrap()
    );
    let [running] = &store.maintenances(database.id, 9).await.unwrap()[..] else {
        panic!("it is one maintenance");
    };
    assert_eq!((running.id, running.status.as_str()), (planned, "running"));
    assert_eq!(running.reason, "security_release");
    assert_eq!(running.scheduled_for, Some(at(FIRST)));
    assert_eq!(running.method_because, Some(run.method_because.clone()));
    assert_eq!(running.window_then, run.window);

    let claim = fixture.claim("a").await;
    store.commit(&claim, &ending(End::Succeeded)).await.unwrap();
    let again = store
        .begin_maintenance(&workflow(&database), &run, None)
        .await;
    assert!(matches!(again, Err(Error::Exists { .. })), "{again:?}");
    assert_eq!(store.unfinished(database.id).await.unwrap(), None);
}

#[tokio::test]
async fn the_run_that_was_begun_last_comes_first_whenever_it_was_planned() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await;
    let planned = planned(&fixture, database.id).await;
    let begun = async || {
        let begun = store.maintenances(database.id, 9).await.unwrap();
        begun.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(begun().await, []);
    let unplanned = maintenance();
    let run = workflow(&database);
    store
        .begin_maintenance(&run, &unplanned, None)
        .await
        .unwrap();
    let claim = fixture.claim("a").await;
    store.commit(&claim, &ending(End::Succeeded)).await.unwrap();
    assert_eq!(begun().await, [unplanned.id]);
    let run = NewMaintenance {
        id: planned,
        ..maintenance()
    };
    let begins = store
        .begin_maintenance(&workflow(&database), &run, None)
        .await;
    begins.unwrap();
    assert_eq!(begun().await, [planned, unplanned.id]);
}

#[tokio::test]
async fn a_database_has_one_planned_maintenance() {
    let fixture = Fixture::new().await;
    let database = fixture.idle().await.id;
    planned(&fixture, database).await;
    let sql = format!(
        "INSERT INTO upkeep.maintenances (id, database_id, status, method, reason, release_before, release_after)
         VALUES (gen_random_uuid(), '{}', 'pending', 'restart', 'requested', 'a', 'b')",
        database.0
    );
    let second = fixture.sql().await.execute(&sql, &[]).await.unwrap_err();
    let constraint = second.as_db_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("one_planned_maintenance_per_database"));
}

#[tokio::test]
async fn freezes_concern_every_app_that_has_the_database_and_go_with_their_app() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await;
    let name = "another".parse().expect("it is a name");
    let other = store.insert_app(AppId(id()), &name).await.unwrap();
    let freeze = |scope, because| {
        Freeze::typed(scope, ("12-20", "01-03"), None, because).expect("it is a freeze")
    };
    let [fleet, own, others] = [
        freeze(Scope::Fleet, "fleet"),
        freeze(Scope::App(database.app_id), "own"),
        freeze(Scope::App(other.id), "others"),
    ];
    for freeze in [&fleet, &own, &others] {
        store.add_freeze(freeze, "ama", None).await.unwrap();
    }
    let kept = store.freezes().await.unwrap();
    let of: Vec<_> = kept.iter().map(|kept| kept.app.as_deref()).collect();
    let own_app = store.app(&database.app_id.to_string()).await.unwrap();
    let own_app = own_app.expect("it is there").name;
    assert_eq!(of, [None, Some(own_app.as_str()), Some("another")]);
    assert_eq!(store.freezes_of(database.id).await.unwrap(), [fleet, own]);

    let removed = store.remove_freeze(kept[0].id).await.unwrap();
    assert_eq!(removed.as_ref(), Some(&kept[0]));
    assert_eq!(store.remove_freeze(kept[0].id).await.unwrap(), None);
    let gone = format!("DELETE FROM upkeep.apps WHERE id = '{}'", other.id);
    fixture.sql().await.batch_execute(&gone).await.unwrap();
    assert_eq!(store.freezes().await.unwrap(), kept[1..2]);
}
