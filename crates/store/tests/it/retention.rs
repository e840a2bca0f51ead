//! What is over for long is forgotten, and nothing that somebody may still ask for.

use std::time::Duration;

use upkeep_domain::procedure::End;
use upkeep_store::{EventKind, NewEvent, Transition};

use crate::{Fixture, ending, maintenance, workflow};

const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Fixture {
    async fn everything_is_days_older(&self, days: u32) {
        let sql = format!(
            "UPDATE upkeep.workflows SET ended_at = ended_at - interval '{days} days';
             UPDATE upkeep.outbox SET created_at = created_at - interval '{days} days'"
        );
        let aged = self.sql().await.batch_execute(&sql).await;
        aged.expect("the rows are changed");
    }

    async fn maintained(&self, database: &upkeep_store::NewDatabase, end: End) {
        let (workflow, maintenance) = (workflow(database), maintenance());
        let begun = self
            .store
            .begin_maintenance(&workflow, &maintenance, None)
            .await;
        begun.expect("a maintenance begins");
        let claim = self.claim("a").await;
        let ended = Transition {
            events: vec![NewEvent {
                step: "second",
                kind: EventKind::Ended,
                sentence: "Ended".to_owned(),
                detail: serde_json::json!({ "ended_as": end.to_string() }),
            }],
            ..ending(end)
        };
        let committed = self.store.commit(&claim, &ended).await;
        committed.expect("it ends");
    }
}

#[tokio::test]
async fn what_ended_long_ago_goes_with_its_events_and_notices_and_its_maintenance_stays() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let database = fixture.idle().await;
    for end in [End::Succeeded, End::RolledBack, End::Succeeded] {
        fixture.maintained(&database, end).await;
    }
    fixture.everything_is_days_older(91).await;
    fixture.provisioning().await;

    assert_eq!(store.forget(100 * DAY, 9).await.unwrap(), 0);
    // Of the first database: its provisioning, and all maintenances but the newest.
    let notices = fixture.count("outbox").await;
    assert_eq!(notices, 6, "of each beginning and each end");
    let mut forgotten = Vec::new();
    while let Some(some) = Some(store.forget(90 * DAY, 2).await.unwrap()).filter(|some| *some > 0) {
        forgotten.push(some);
    }
    assert_eq!(forgotten, [4, 3, 2], "two of each at a time");
    assert_eq!(fixture.count("workflows").await, 2);
    assert_eq!(fixture.count("outbox").await, 0);
    assert_eq!(
        fixture.count("events WHERE kind = 'ended'").await,
        1,
        "of the newest maintenance"
    );
    let history = store.maintenances(database.id, 9).await.unwrap();
    assert_eq!(history.len(), 3);
    assert!(store.last_event(database.id).await.unwrap().is_some());
}

#[tokio::test]
async fn unfinished_and_stuck_work_and_the_last_of_a_database_stay_however_old_they_are() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    // Maintained, then something else was done: both may be asked for.
    let database = fixture.idle().await;
    fixture.maintained(&database, End::Succeeded).await;
    store.begin(&workflow(&database)).await.unwrap();
    let claim = fixture.claim("a").await;
    store
        .commit(&claim, &ending(End::RolledBack))
        .await
        .unwrap();
    let stuck = fixture.idle().await;
    fixture.maintained(&stuck, End::Stuck).await;
    fixture.provisioning().await;
    fixture.everything_is_days_older(1_000).await;
    while store.forget(90 * DAY, 9).await.unwrap() > 0 {}
    assert_eq!(fixture.count("workflows").await, 4);
    assert_eq!(fixture.count("workflows WHERE ended_as = 'stuck'").await, 1);
    assert_eq!(fixture.count("workflows WHERE ended_as IS NULL").await, 1);
}
