//! Committing steps: state, events and changes together, and what the end of a maintenance records.

use std::time::Duration;

use serde_json::json;
use upkeep_domain::dry_start::WaitingSetting;
use upkeep_domain::hold::Felt;
use upkeep_domain::id::HostId;
use upkeep_domain::procedure::End;
use upkeep_store::{Change, DatabaseState, Error, EventKind, InstanceRole, NewEvent, Transition};

use crate::{Fixture, ending, going_on, instance, maintenance, workflow};

fn event(step: &'static str, kind: EventKind, detail: serde_json::Value) -> NewEvent {
    NewEvent {
        step,
        kind,
        sentence: format!("{step} is {}", kind.as_str()),
        detail,
    }
}

fn new_instance(
    claim: &upkeep_store::Claim,
    id: upkeep_domain::id::InstanceId,
    role: InstanceRole,
) -> Change {
    Change::InsertInstance {
        id,
        database: claim.database,
        host: HostId(crate::id()),
        release: "15.18-a".to_owned(),
        role,
    }
}

#[tokio::test]
async fn the_next_claim_goes_on_from_what_was_committed() {
    let fixture = Fixture::new().await;
    fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let transition = Transition {
        visit: 7,
        tries: 3,
        failure: Some("because".to_owned()),
        ..going_on()
    };
    fixture.store.commit(&claim, &transition).await.unwrap();
    let silent = Transition {
        visit: 8,
        ..going_on()
    };
    fixture.store.commit(&claim, &silent).await.unwrap();
    fixture.store.take_back("a").await.unwrap();
    let next = fixture.claim("a").await;
    assert_eq!(
        (next.step.as_str(), next.visit, next.tries),
        ("second", 8, 0)
    );
    assert_eq!(next.state, json!({ "at": "second" }));
    assert_eq!(
        next.failure.as_deref(),
        Some("because"),
        "a reason stays until the end"
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_made_undoes_the_whole_step() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let made = instance();
    let transition = Transition {
        events: vec![event("first", EventKind::Done, json!({}))],
        changes: vec![
            new_instance(&claim, made, InstanceRole::Primary),
            Change::Provisioned,
            // There is no such instance: the foreign key speaks at the commit.
            Change::Point {
                primary: instance(),
            },
        ],
        ..going_on()
    };
    let refused = fixture.store.commit(&claim, &transition).await;
    assert!(matches!(refused, Err(Error::Query { .. })), "{refused:?}");
    assert!(fixture.store.instance(made).await.unwrap().is_none());
    assert_eq!(fixture.count("events").await, 1);
    let unfinished = fixture
        .store
        .unfinished(database.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(unfinished.step, "first");
    fixture
        .store
        .commit(&claim, &going_on())
        .await
        .expect("the claim is still good");
}

#[tokio::test]
async fn changes_come_with_their_step() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let claim = fixture.claim("a").await;
    let (old, new) = (instance(), instance());
    let transition = Transition {
        changes: vec![
            new_instance(&claim, old, InstanceRole::Primary),
            new_instance(&claim, new, InstanceRole::Replacement),
            // A step that is visited twice says it twice.
            new_instance(&claim, new, InstanceRole::Replacement),
            Change::Point { primary: new },
            Change::Retire {
                id: old,
                grace: Duration::ZERO,
            },
            Change::Provisioned,
            Change::SetRelease {
                id: new,
                release: "15.20-b".to_owned(),
            },
        ],
        ..going_on()
    };
    store.commit(&claim, &transition).await.unwrap();
    let now = store.database(database.id).await.unwrap().unwrap();
    assert_eq!(
        (now.state, now.primary_instance),
        (DatabaseState::Provisioned, Some(new))
    );
    assert_eq!(now.route_fence, claim.fence);
    let roles: Vec<_> = store.instances(database.id).await.unwrap();
    let roles: Vec<_> = roles
        .iter()
        .map(|instance| (instance.id, instance.role))
        .collect();
    assert!(roles.contains(&(old, InstanceRole::Retired)), "{roles:?}");
    assert!(roles.contains(&(new, InstanceRole::Primary)), "{roles:?}");
    let releases = store.releases_in_use().await.unwrap();
    assert_eq!(releases, ["15.18-a", "15.20-b"]);
    let due = store.instances_to_remove().await.unwrap();
    assert_eq!(
        due.iter().map(|instance| instance.id).collect::<Vec<_>>(),
        [old]
    );
    store.forget_instance(new).await.unwrap();
    assert!(
        store.instance(new).await.unwrap().is_some(),
        "only a retired one is forgotten"
    );
    store.forget_instance(old).await.unwrap();
    assert!(store.instance(old).await.unwrap().is_none());
}

#[tokio::test]
async fn the_end_of_a_database_takes_everything_of_it_along() {
    let fixture = Fixture::new().await;
    fixture.provisioning().await;
    let claim = fixture.claim("a").await;
    let made = instance();
    let made = Transition {
        changes: vec![
            new_instance(&claim, made, InstanceRole::Primary),
            Change::Point { primary: made },
        ],
        ..going_on()
    };
    fixture.store.commit(&claim, &made).await.unwrap();
    let gone = Transition {
        changes: vec![Change::DeleteDatabase],
        ..ending(End::Succeeded)
    };
    fixture.store.commit(&claim, &gone).await.unwrap();
    for table in ["databases", "instances", "workflows", "events"] {
        assert_eq!(fixture.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn events_are_read_in_the_order_in_which_they_were_committed() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let claim = fixture.claim("a").await;
    for visit in 2..22 {
        let transition = Transition {
            visit,
            events: vec![
                event("first", EventKind::Done, json!({})),
                event("second", EventKind::Started, json!({})),
                event("second", EventKind::Failed, json!({})),
            ],
            ..going_on()
        };
        store.commit(&claim, &transition).await.unwrap();
    }
    let all = store.events(database.id, 0, 1_000).await.unwrap();
    let kinds: Vec<_> = all
        .iter()
        .skip(1)
        .map(|event| event.kind.as_str())
        .collect();
    assert_eq!(kinds, ["done", "started", "failed"].repeat(20));
    assert!(all.is_sorted_by_key(|event| event.id));
    let behind = store.events(database.id, all[30].id, 5).await.unwrap();
    let expected: Vec<_> = all[31..36].iter().map(|event| event.id).collect();
    assert_eq!(
        behind.iter().map(|event| event.id).collect::<Vec<_>>(),
        expected
    );
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_can_be_made_again() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let claim = fixture.claim("a").await;
    let plain = Transition {
        events: vec![event("first", EventKind::Done, json!({ "ms": 1.0 }))],
        ..going_on()
    };
    let with_changes = Transition {
        visit: 3,
        changes: vec![Change::Provisioned],
        ..plain.clone()
    };
    let failed_try = Transition {
        visit: 3,
        tries: 1,
        ..plain.clone()
    };
    for (recorded, transition) in (2..).zip([plain, with_changes, failed_try]) {
        for _ in 0..2 {
            store.commit(&claim, &transition).await.unwrap();
        }
        let events = store.events(database.id, 0, 100).await.unwrap();
        assert_eq!(events.len(), recorded, "{events:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_maintenance_records_how_it_went() {
    let ends = [
        (End::Succeeded, "completed"),
        (End::RolledBack, "pending"),
        (End::Stuck, "running"),
    ];
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    for (end, status) in ends {
        let database = fixture.idle().await;
        let begun = maintenance();
        store
            .begin_maintenance(&workflow(&database), &begun, None)
            .await
            .unwrap();
        let claim = fixture.claim("a").await;
        let felt = Felt {
            held_ms: 12.5,
            sessions_held: 3,
            ..Felt::default()
        };
        let waited = WaitingSetting {
            name: "shared_buffers".to_owned(),
            before: "16384".to_owned(),
            after: "32768".to_owned(),
        };
        let step = Transition {
            events: vec![
                event("first", EventKind::Failed, json!({ "ms": 1.5 })),
                event("first", EventKind::Done, json!({ "ms": 2.0 })),
                event("second", EventKind::Started, json!({})),
            ],
            changes: vec![
                Change::Felt { felt: felt.clone() },
                Change::Applied {
                    settings: vec![waited.clone()],
                },
            ],
            ..going_on()
        };
        store.commit(&claim, &step).await.unwrap();
        let last = Transition {
            failure: (end != End::Succeeded).then(|| "because".to_owned()),
            events: vec![
                event("second", EventKind::Again, json!({ "ms": 4.0 })),
                event(
                    "second",
                    EventKind::Ended,
                    json!({ "ended_as": end.to_string() }),
                ),
            ],
            ..ending(end)
        };
        store.commit(&claim, &last).await.unwrap();

        let ended = store.maintenances(database.id, 1).await.unwrap().remove(0);
        assert_eq!(ended.id, begun.id);
        assert_eq!(ended.status, status);
        assert_eq!(ended.outcome, Some(end.to_string()));
        let steps = ended.steps_ms.expect("its time is told");
        assert_eq!(
            steps,
            [("first".to_owned(), 3.5), ("second".to_owned(), 4.0)].into()
        );
        assert_eq!(ended.felt, Some(felt));
        assert_eq!(ended.settings_applied, [waited]);
        assert_eq!(
            ended.method_because.as_deref(),
            Some("its plan has no standby")
        );
        assert_eq!(ended.completed_at.is_none(), end == End::Stuck);
        assert_eq!(ended.sentence.is_some(), end != End::Succeeded);
    }
}

#[tokio::test]
async fn a_standby_is_known_with_whom_it_follows_and_since_when_it_is_silent() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let store = &fixture.store;
    let claim = fixture.claim("a").await;
    let (primary, standby) = (instance(), instance());
    let transition = Transition {
        changes: vec![
            new_instance(&claim, primary, InstanceRole::Primary),
            new_instance(&claim, standby, InstanceRole::Replacement),
            Change::Register {
                standby,
                follows: primary,
            },
        ],
        ..going_on()
    };
    store.commit(&claim, &transition).await.unwrap();
    let look = async || {
        let mut all = store.standbys(database.id).await.unwrap();
        assert_eq!(all.len(), 1);
        let (row, silent_for) = all.remove(0);
        assert_eq!((row.id, row.follows), (standby, Some(primary)));
        silent_for
    };
    assert_eq!(look().await, None);
    let silent: upkeep_domain::instance::Observation = serde_json::from_value(json!({
        "instance": standby, "process": "running", "accepts_connections": true, "streaming": false,
        "disarmed": false, "promotion_requested": false, "fence": "freeze",
    }))
    .unwrap();
    store.record_observation(&silent).await.unwrap();
    let since = look().await.expect("it was not seen to stream");
    store.record_observation(&silent).await.unwrap();
    assert!(look().await.expect("it is silent still") >= since);
    let streaming = upkeep_domain::instance::Observation {
        streaming: Some(true),
        ..silent
    };
    store.record_observation(&streaming).await.unwrap();
    assert_eq!(look().await, None);
}
