//! What is planned is begun by nobody's hand once, as it was seen, in its time, and while there is room.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use upkeep_domain::id::{DatabaseId, MaintenanceId};
use upkeep_domain::maintenance::Status;
use upkeep_domain::procedure::End;
use upkeep_store::{Error, NewDatabase, NewMaintenance, Turn};
use upkeep_testkit::wait::wait_for;

use crate::{Fixture, ending, id, maintenance, workflow};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl Fixture {
    pub(crate) async fn planned_for(&self, database: DatabaseId, at: Timestamp) -> MaintenanceId {
        let planned = MaintenanceId(id());
        let sql = "INSERT INTO upkeep.maintenances
                       (id, database_id, status, method, reason, release_before, release_after, required_by, scheduled_for)
                   VALUES ($1, $2, 'pending', 'changeover', 'security_release', '15.18-a', '15.20-b', $3, $3)";
        let client = self.sql().await;
        let inserted = client.execute(sql, &[&planned.0, &database.0, &at]).await;
        inserted.expect("it is planned");
        planned
    }

    async fn an_hour_ago(&self) -> Timestamp {
        self.store.now().await.expect("the store answers") - HOUR
    }

    async fn begin(
        &self,
        database: &NewDatabase,
        planned: MaintenanceId,
        turn: &Turn,
    ) -> Result<(), Error> {
        let run = NewMaintenance {
            id: planned,
            begun_by: "Upkeep".to_owned(),
            ..maintenance()
        };
        let workflow = workflow(database);
        self.store
            .begin_maintenance(&workflow, &run, Some(turn))
            .await
    }
}

/// One that is planned, and its window has been open for an hour.
async fn open() -> (Fixture, NewDatabase, MaintenanceId, Timestamp) {
    let fixture = Fixture::new().await;
    let at = fixture.an_hour_ago().await;
    let database = fixture.idle().await;
    let planned = fixture.planned_for(database.id, at).await;
    (fixture, database, planned, at)
}

fn turn(scheduled_for: Timestamp) -> Turn {
    Turn {
        scheduled_for,
        from: scheduled_for,
        until: scheduled_for + HOUR * 2,
        runs_at_once: 1,
    }
}

#[tokio::test]
async fn it_is_begun_as_it_was_seen_in_its_time_and_not_otherwise() {
    let fixture = Fixture::new().await;
    let (database, early) = (fixture.idle().await, fixture.idle().await);
    let at = fixture.an_hour_ago().await;
    let planned = fixture.planned_for(database.id, at).await;
    let moved = turn(at + HOUR / 2);
    let over = Turn {
        until: at + HOUR / 2,
        ..turn(at)
    };
    for other in [moved, over] {
        let refused = fixture.begin(&database, planned, &other).await;
        assert!(matches!(refused, Err(Error::NotAsSeen)), "{refused:?}");
    }
    let unknown = fixture
        .begin(&database, MaintenanceId(id()), &turn(at))
        .await;
    assert!(matches!(unknown, Err(Error::NotAsSeen)), "{unknown:?}");
    let rightly = turn(at);
    let (one, other) = tokio::join!(
        fixture.begin(&database, planned, &rightly),
        fixture.begin(&database, planned, &rightly),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let [run] = &fixture.store.maintenances(database.id, 9).await.unwrap()[..] else {
        panic!("it is one maintenance");
    };
    assert_eq!(run.begun_by.as_deref(), Some("Upkeep"));

    let ahead = at + HOUR * 2;
    let planned = fixture.planned_for(early.id, ahead).await;
    let roomy = Turn {
        runs_at_once: 9,
        ..turn(ahead)
    };
    let refused = fixture.begin(&early, planned, &roomy).await;
    assert!(matches!(refused, Err(Error::NotAsSeen)), "{refused:?}");
}

#[tokio::test]
async fn no_more_go_on_at_once_than_may_also_when_several_come_at_once() {
    let fixture = Fixture::new().await;
    let at = fixture.an_hour_ago().await;
    let two = Turn {
        runs_at_once: 2,
        ..turn(at)
    };
    let mut asked = Vec::new();
    for _ in 0..4 {
        let database = fixture.idle().await;
        let planned = fixture.planned_for(database.id, at).await;
        asked.push((database, planned));
    }
    let begin = |number: usize| {
        let (database, planned) = &asked[number];
        fixture.begin(database, *planned, &two)
    };
    let begun = tokio::join!(begin(0), begin(1), begin(2), begin(3));
    let begun: [_; 4] = begun.into();
    assert_eq!(begun.iter().filter(|one| one.is_ok()).count(), 2);
    for refused in begun.iter().filter_map(|one| one.as_ref().err()) {
        assert!(
            matches!(refused, Error::NoTurn { going_on: 2 }),
            "{refused:?}"
        );
    }
    assert_eq!(
        fixture
            .store
            .maintenances_going_on(Status::Running)
            .await
            .unwrap(),
        2
    );
    let claim = fixture.claim("a").await;
    let ended = fixture.store.commit(&claim, &ending(End::Succeeded)).await;
    ended.unwrap();
    assert_eq!(
        fixture
            .store
            .maintenances_going_on(Status::Running)
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn who_waits_for_its_turn_has_not_begun_yet() {
    let (fixture, database, planned, at) = open().await;
    let others = fixture.sql().await;
    let turns = "SELECT pg_advisory_lock(x'75706b6565700002'::bigint)";
    others.batch_execute(turns).await.unwrap();
    let turn = turn(at);
    let let_go = async {
        let waits =
            "SELECT clock_timestamp() FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        let look = async || others.query_opt(waits, &[]).await.unwrap();
        let waiting = wait_for("it waits", Duration::from_secs(10), look).await;
        others
            .batch_execute("SELECT pg_advisory_unlock_all()")
            .await
            .unwrap();
        waiting.get::<_, Timestamp>(0)
    };
    let (begun, waited_until) = tokio::join!(fixture.begin(&database, planned, &turn), let_go);
    begun.unwrap();
    let [run] = &fixture.store.maintenances(database.id, 9).await.unwrap()[..] else {
        panic!("it is one maintenance");
    };
    assert!(run.started_at > Some(waited_until), "{run:?}");
}

#[tokio::test]
async fn what_outruns_its_window_is_called_off_if_no_person_has_begun_it() {
    let (fixture, database, planned, at) = open().await;
    fixture.begin(&database, planned, &turn(at)).await.unwrap();
    let at_its_step = async |step: &str, by: &str, window: SignedDuration| {
        let store = &fixture.store;
        let undoable = [format!("procedure.{step}")];
        let cancelled = store.cancel_overrun(by, window.unsigned_abs(), "the clock", &undoable);
        cancelled.await.unwrap()
    };
    assert_eq!(
        at_its_step("second", "Upkeep", HOUR).await,
        0,
        "it is at another"
    );
    let cancel = async |by: &str, window| at_its_step("first", by, window).await;
    assert_eq!(cancel("Upkeep", HOUR * 2).await, 0);
    assert_eq!(cancel("ama@example.com", HOUR).await, 0);
    assert_eq!(cancel("Upkeep", HOUR).await, 1);
    assert_eq!(cancel("Upkeep", HOUR).await, 0, "once is enough");
    let claim = fixture.claim("a").await;
    assert_eq!(claim.cancelled_by.as_deref(), Some("the clock"));
}
