//! Requests: what is refused says why by its kind, and has changed no row.

use std::sync::Arc;

use upkeep_domain::refusal::{Refusal, RefusalKind};
use upkeep_engine::request::{CreateDatabase, RunMaintenance};
use upkeep_engine::{Engine, Unwatched};
use upkeep_store::{App, Database};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::Sim;

use crate::case::{provisioned, run};
use crate::stage::{
    Ended, FIRST, PATIENCE, Stage, create_database, engine, maintenance_of, server,
};

/// A provisioned database, and an engine that takes requests and runs nothing.
pub(crate) struct Desk {
    pub(crate) stage: Stage,
    pub(crate) sim: Arc<Sim>,
    pub(crate) engine: Engine,
    pub(crate) database: Database,
    _server: ThrowAway,
}

impl Desk {
    pub(crate) async fn open(releases: &[&str]) -> Self {
        let server = server().await;
        let stage = Stage::new(&server, "stage").await;
        let sim = Arc::new(Sim::new(releases));
        let database = provisioned(&stage, &sim).await;
        let engine = engine(&stage.store, &sim, Arc::new(Unwatched), "server");
        Self {
            stage,
            sim,
            engine,
            database,
            _server: server,
        }
    }

    pub(crate) fn maintenance(&self, release: Option<&str>) -> RunMaintenance {
        RunMaintenance {
            release: release.map(str::to_owned),
            ..maintenance_of(self.database.clone())
        }
    }

    pub(crate) async fn new_database(&self) -> CreateDatabase {
        let app = self.stage.store.app(&self.database.app_name).await;
        let app: Option<App> = app.expect("the store answers");
        CreateDatabase {
            app: app.expect("it has the database"),
            plan: "standard-0".to_owned(),
            name: None,
            attach_as: None,
            release: None,
            follow: None,
            request_id: None,
        }
    }

    /// Refused with this kind, a sentence, and without a change.
    pub(crate) async fn refuses<T: std::fmt::Debug>(
        &self,
        kind: RefusalKind,
        asked: impl Future<Output = Result<T, Refusal>>,
    ) {
        let before = self.stage.rows().await;
        let refusal = asked.await.expect_err("it should be refused");
        assert_eq!(refusal.kind, kind, "{refusal:?}");
        assert!(!refusal.sentence.is_empty());
        assert_eq!(self.stage.rows().await, before, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_release_that_cannot_follow_is_refused() {
    let desk = Desk::open(&[
        "14.9-z",
        FIRST,
        "15.17-old",
        "15.20-b",
        "16.1-x",
        "15.19-c",
        "15.19-d",
    ])
    .await;
    for (release, kind) in [
        ("15.99", RefusalKind::NotFound),
        ("nonsense", RefusalKind::NotFound),
        ("15.19", RefusalKind::NotFound),
        ("16.1", RefusalKind::Invalid),
        ("14.9-z", RefusalKind::Invalid),
        ("15.17-old", RefusalKind::Invalid),
    ] {
        let asked = desk.engine.run_maintenance(desk.maintenance(Some(release)));
        desk.refuses(kind, asked).await;
    }
}

#[tokio::test]
async fn nothing_is_done_when_nothing_is_due() {
    let desk = Desk::open(&["15.17-old", FIRST, "16.1-x"]).await;
    let asked = desk.engine.run_maintenance(desk.maintenance(None));
    desk.refuses(RefusalKind::NotReady, asked).await;
}

#[tokio::test]
async fn the_method_follows_from_what_is_due_and_is_explained() {
    let restart = Some("restart".to_owned());
    let same = Some(FIRST.to_owned());
    // What waits, the wish, and what comes of it: method, release, a word of why.
    let cases = [
        (None, None, None, "changeover", "15.20-b", "no standby"),
        (
            None,
            restart.clone(),
            None,
            "restart",
            FIRST,
            "release stays",
        ),
        (None, None, same, "restart", FIRST, "release stays"),
        (
            None,
            restart.clone(),
            Some("15.20".to_owned()),
            "restart",
            "15.20-b",
            "instead of changeover",
        ),
        (
            Some("shared_buffers"),
            restart,
            None,
            "restart",
            FIRST,
            "shared_buffers waits",
        ),
    ];
    for (waits, method, release, expected, on, word) in cases {
        let desk = Desk::open(&[FIRST, "15.20-b"]).await;
        let primary = desk.database.primary_instance.expect("it has one");
        if let Some(setting) = waits {
            desk.sim.let_wait(primary, setting);
        }
        let request = RunMaintenance {
            method,
            release,
            ..desk.maintenance(None)
        };
        let begun = desk.engine.run_maintenance(request).await.unwrap();
        assert_eq!(
            (begun.method.as_str(), begun.release_after.as_str()),
            (expected, on)
        );
        let because = begun.method_because.expect("it is explained");
        assert!(because.contains(word), "{because}");
    }
}

/// A setting that waits is enough to be due.
#[tokio::test]
async fn a_setting_that_waits_is_a_reason_for_a_restart_where_no_release_is() {
    let desk = Desk::open(&[FIRST]).await;
    let primary = desk.database.primary_instance.expect("it has one");
    let asked = desk.engine.run_maintenance(desk.maintenance(None));
    desk.refuses(RefusalKind::NotReady, asked).await;
    desk.sim.let_wait(primary, "max_connections");
    let begun = desk.engine.run_maintenance(desk.maintenance(None)).await;
    assert_eq!(begun.expect("something waits").method, "restart");
}

#[tokio::test]
async fn a_method_that_is_none_or_is_impossible_is_refused() {
    let desk = Desk::open(&[FIRST, "15.17-old", "15.20-b"]).await;
    let cases = [
        ("reboot", None),
        ("failover", None),
        ("failover", Some("15.20")),
        ("restart", Some("15.17-old")),
    ];
    for (method, release) in cases {
        let request = RunMaintenance {
            method: Some(method.to_owned()),
            ..desk.maintenance(release)
        };
        let asked = desk.engine.run_maintenance(request);
        desk.refuses(RefusalKind::Invalid, asked).await;
    }
}

#[tokio::test]
async fn an_essential_database_is_not_maintained_by_hand() {
    let desk = Desk::open(&[FIRST, "15.20-b"]).await;
    let essential = CreateDatabase {
        plan: "essential-0".to_owned(),
        ..desk.new_database().await
    };
    let made = desk.engine.create_database(essential).await;
    let made = made.expect("nothing stands in the way");
    let asked = desk.engine.run_maintenance(maintenance_of(made.clone()));
    let refusal = asked.await.expect_err("it has no window");
    assert_eq!(
        refusal.sentence,
        "You can't trigger maintenance on an Essential tier database."
    );
    let asked = desk.engine.run_maintenance(maintenance_of(made));
    desk.refuses(RefusalKind::Invalid, asked).await;
}

#[tokio::test]
async fn the_newest_of_the_same_major_is_what_is_due() {
    let desk = Desk::open(&[FIRST, "15.19-c", "15.20-b", "16.1-x"]).await;
    let begun = desk.engine.run_maintenance(desk.maintenance(None)).await;
    let begun = begun.expect("something is due");
    assert_eq!(
        (begun.release_before.as_str(), begun.release_after.as_str()),
        (FIRST, "15.20-b")
    );
}

#[tokio::test]
async fn a_database_at_which_something_is_done_is_busy() {
    let desk = Desk::open(&[FIRST, "15.20-b"]).await;
    let ask = || desk.engine.run_maintenance(desk.maintenance(None));
    let refused = match tokio::join!(ask(), ask()) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("of two that come together one is begun: {both:?}"),
    };
    assert_eq!(refused.kind, RefusalKind::Busy);
    desk.refuses(RefusalKind::Busy, ask()).await;
    let asked = desk.engine.destroy_database(&desk.database);
    desk.refuses(RefusalKind::Busy, asked).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_made_leaves_no_row() {
    let desk = Desk::open(&[FIRST, "15.20-b"]).await;
    let unknown_plan = CreateDatabase {
        plan: "heroku-postgresql:hobby-dev".to_owned(),
        ..desk.new_database().await
    };
    let unknown_release = CreateDatabase {
        release: Some("15.99".to_owned()),
        ..desk.new_database().await
    };
    let taken = CreateDatabase {
        name: Some(desk.database.name.parse().unwrap()),
        ..desk.new_database().await
    };
    let attached = CreateDatabase {
        attach_as: Some(desk.database.attachments[0].name.clone()),
        ..desk.new_database().await
    };
    for (request, kind) in [
        (unknown_plan, RefusalKind::Invalid),
        (unknown_release, RefusalKind::NotFound),
        (taken, RefusalKind::Conflict),
        (attached, RefusalKind::Conflict),
    ] {
        desk.refuses(kind, desk.engine.create_database(request))
            .await;
    }
    let taken = desk.database.app_name.parse().unwrap();
    desk.refuses(RefusalKind::Conflict, desk.engine.create_app(Some(taken)))
        .await;

    let made = create_database(&desk.engine).await;
    let asked = desk.engine.run_maintenance(maintenance_of(made));
    desk.refuses(RefusalKind::NotReady, asked).await;
}

#[tokio::test]
async fn a_request_that_is_repeated_is_answered_with_what_the_first_one_made() {
    let desk = Desk::open(&[FIRST, "15.20-b"]).await;
    let wanted = CreateDatabase {
        request_id: Some("r1".to_owned()),
        ..desk.new_database().await
    };
    let (one, other) = tokio::join!(
        desk.engine.create_database(wanted.clone()),
        desk.engine.create_database(wanted.clone()),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.id, other.id, "also when both come together");
    assert_eq!(
        desk.engine.create_database(wanted).await.unwrap().id,
        one.id
    );

    let wanted = RunMaintenance {
        request_id: Some("r2".to_owned()),
        ..desk.maintenance(None)
    };
    let (one, other) = tokio::join!(
        desk.engine.run_maintenance(wanted.clone()),
        desk.engine.run_maintenance(wanted.clone()),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.id, other.id, "also when both come together");

    let running = run(&desk.engine);
    assert_eq!(
        desk.stage.end(desk.database.id, PATIENCE).await,
        Ended::Succeeded
    );
    let again = desk.engine.run_maintenance(wanted).await.unwrap();
    assert_eq!((again.id, again.status.as_str()), (one.id, "completed"));
    assert_eq!(desk.sim.violations(), [] as [&str; 0]);
    running.abort();
}
