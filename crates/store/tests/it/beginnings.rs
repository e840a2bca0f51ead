//! Beginning work: with everything that belongs to it or not at all, and one piece at a time.

use upkeep_domain::procedure::End;
use upkeep_store::{DatabaseState, Error};

use crate::{Fixture, database, ending, maintenance, workflow};

fn exists<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Exists { constraint }) => constraint,
        other => panic!("expected to be told that it exists: {other:?}"),
    }
}

#[tokio::test]
async fn a_second_piece_of_work_on_a_database_is_refused_by_the_index() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let begun = store
        .begin_maintenance(&workflow(&database), &maintenance(), None)
        .await;
    assert_eq!(exists(begun), "one_unfinished_workflow_per_database");
    let begun = store.begin_destroy(&workflow(&database)).await;
    assert_eq!(exists(begun), "one_unfinished_workflow_per_database");
    assert_eq!(fixture.count("maintenances").await, 0);
    assert_eq!(fixture.count("workflows").await, 1);
    let now = store.database(database.id).await.unwrap().unwrap();
    assert_eq!(now.state, DatabaseState::Provisioning);
}

#[tokio::test]
async fn stuck_work_is_unfinished_and_ended_work_is_not() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for end in [End::Succeeded, End::RolledBack, End::Stuck] {
        let (database, _) = fixture.provisioning().await;
        let claim = fixture.claim("a").await;
        store.commit(&claim, &ending(end)).await.unwrap();
        let unfinished = store.unfinished(database.id).await.unwrap();
        let begun = store
            .begin_maintenance(&workflow(&database), &maintenance(), None)
            .await;
        if end == End::Stuck {
            assert!(unfinished.is_some_and(|work| work.is_stuck));
            assert_eq!(exists(begun), "one_unfinished_workflow_per_database");
        } else {
            assert_eq!(unfinished, None);
            begun.expect("nothing stands in the way");
            let claim = fixture.claim("a").await;
            store.commit(&claim, &ending(end)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_database_whose_name_is_taken_leaves_nothing() {
    let fixture = Fixture::new().await;
    let (first, _) = fixture.provisioning().await;
    let second = upkeep_store::NewDatabase {
        name: first.name.clone(),
        ..database(first.app_id)
    };
    let begun = fixture
        .store
        .begin_provision(&workflow(&second), &second)
        .await;
    assert_eq!(exists(begun), "databases_name");
    assert_eq!(fixture.count("databases").await, 1);
    assert_eq!(fixture.count("workflows").await, 1);
    assert_eq!(fixture.count("events").await, 1);
}

#[tokio::test]
async fn a_database_whose_workflow_cannot_begin_leaves_nothing() {
    let fixture = Fixture::new().await;
    let (first, taken) = fixture.provisioning().await;
    let second = database(first.app_id);
    let same_id = upkeep_store::NewWorkflow {
        id: taken.id,
        ..workflow(&second)
    };
    let begun = fixture.store.begin_provision(&same_id, &second).await;
    assert_eq!(exists(begun), "workflows_pkey");
    assert!(fixture.store.database(second.id).await.unwrap().is_none());
}

#[tokio::test]
async fn work_begins_with_its_first_event() {
    let fixture = Fixture::new().await;
    let (database, workflow) = fixture.provisioning().await;
    let event = fixture
        .store
        .last_event(database.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.workflow_id, workflow.id);
    assert_eq!(
        (event.step.as_str(), event.kind.as_str()),
        ("first", "started")
    );
    assert_eq!(event.sentence, workflow.first_sentence);
}

#[tokio::test]
async fn a_repeated_request_for_a_database_is_told_apart_from_a_new_one() {
    let fixture = Fixture::new().await;
    let (other, _) = fixture.provisioning().await;
    let wanted = upkeep_store::NewDatabase {
        request_id: Some("r1".to_owned()),
        ..database(other.app_id)
    };
    let store = &fixture.store;
    assert!(store.database_by_request("r1").await.unwrap().is_none());
    store
        .begin_provision(&workflow(&wanted), &wanted)
        .await
        .unwrap();
    let found = store.database_by_request("r1").await.unwrap().unwrap();
    assert_eq!(found.id, wanted.id);
    let again = upkeep_store::NewDatabase {
        request_id: Some("r1".to_owned()),
        ..database(other.app_id)
    };
    let begun = store.begin_provision(&workflow(&again), &again).await;
    assert_eq!(exists(begun), "databases_request_id_key");
}

#[tokio::test]
async fn a_repeated_request_for_a_maintenance_is_told_apart_from_a_new_one() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (first, second) = (fixture.idle().await, fixture.idle().await);
    let wanted = upkeep_store::NewMaintenance {
        request_id: Some("r2".to_owned()),
        ..maintenance()
    };
    store
        .begin_maintenance(&workflow(&first), &wanted, None)
        .await
        .unwrap();
    let found = store.maintenance_by_request("r2").await.unwrap().unwrap();
    assert_eq!((found.id, found.status.as_str()), (wanted.id, "running"));
    let again = upkeep_store::NewMaintenance {
        request_id: Some("r2".to_owned()),
        ..maintenance()
    };
    let begun = store
        .begin_maintenance(&workflow(&second), &again, None)
        .await;
    assert_eq!(exists(begun), "maintenances_request_id_key");
    assert_eq!(store.unfinished(second.id).await.unwrap(), None);
}
