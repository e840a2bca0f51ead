//! The preflight of a run: what blocks stops it in a sentence, a waiver lets it go on, and both are
//! kept with the maintenance. Asked by itself it changes nothing.

use std::sync::Arc;

use upkeep_domain::dry_start::Finding;
use upkeep_domain::preflight::{Check, List, Report, Verdict};
use upkeep_domain::refusal::RefusalKind;
use upkeep_engine::Unwatched;
use upkeep_engine::request::{RunMaintenance, WaiverWish};
use upkeep_store::{Database, Maintenance};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::{Fault, Place, Sim};

use crate::case::{provisioned, run, wrong};
use crate::stage::{Ended, PATIENCE, RELEASES, Stage, engine, maintenance_of, server};

/// A provisioned database, and runs to their end.
pub(crate) struct Play {
    stage: Stage,
    sim: Arc<Sim>,
    database: Database,
    _server: ThrowAway,
}

impl Play {
    pub(crate) async fn begin() -> Self {
        let server = server().await;
        let stage = Stage::new(&server, "stage").await;
        let sim = Arc::new(Sim::new(&RELEASES));
        let database = provisioned(&stage, &sim).await;
        Self {
            stage,
            sim,
            database,
            _server: server,
        }
    }

    fn engine(&self) -> upkeep_engine::Engine {
        engine(&self.stage.store, &self.sim, Arc::new(Unwatched), "server")
    }

    pub(crate) fn request(&self, waived: &[(&str, &str)]) -> RunMaintenance {
        let wish = |&(check, because): &(&str, &str)| WaiverWish {
            check: check.to_owned(),
            because: because.to_owned(),
        };
        RunMaintenance {
            waivers: waived.iter().map(wish).collect(),
            ..maintenance_of(self.database.clone())
        }
    }

    async fn newest(&self) -> Maintenance {
        let all = self.stage.store.maintenances(self.database.id, 1).await;
        let all = all.expect("the store answers");
        all.into_iter().next().expect("there is one")
    }

    pub(crate) async fn run(&self, request: RunMaintenance) -> (Ended, Maintenance) {
        let engine = self.engine();
        engine.run_maintenance(request).await.expect("it is begun");
        let running = run(&engine);
        let ended = self.stage.end(self.database.id, PATIENCE).await;
        running.abort();
        let none = wrong(&self.stage, &self.sim, ended).await;
        assert_eq!(none, [] as [&str; 0]);
        (ended, self.newest().await)
    }

    fn has_a_cache(&self) {
        let tables: List = ["public.cache"].into_iter().collect();
        self.sim.set_facts(|facts| facts.unlogged_tables = tables);
    }
}

fn verdicts(maintenance: &Maintenance) -> Vec<(&'static str, Verdict)> {
    let reports = maintenance.preflight.iter();
    reports
        .map(|report| (report.run.as_str(), report.verdict()))
        .collect()
}

#[tokio::test]
async fn what_blocks_stops_a_run_before_anything_is_made_and_is_kept() {
    let play = Play::begin().await;
    play.has_a_cache();
    let before = play.sim.instances();
    let (ended, maintenance) = play.run(play.request(&[])).await;
    assert_eq!(ended, Ended::RolledBack);
    let sentence = maintenance.sentence.clone().unwrap();
    assert!(
        sentence.contains("would be emptied: public.cache"),
        "{sentence}"
    );
    assert!(sentence.contains("--waive unlogged_tables"), "{sentence}");
    assert_eq!(verdicts(&maintenance), [("before", Verdict::Blocked)]);
    assert_eq!(play.sim.instances(), before);
}

#[tokio::test]
async fn a_waiver_with_its_person_and_reason_lets_it_go_on_and_is_kept() {
    let play = Play::begin().await;
    play.has_a_cache();
    let request = play.request(&[("unlogged_tables", "it is a cache")]);
    let (ended, maintenance) = play.run(request).await;
    assert_eq!(ended, Ended::Succeeded, "{maintenance:?}");
    let waiver = &maintenance.waivers[0];
    assert_eq!(waiver.check, Check::UnloggedTables);
    assert_eq!(waiver.by, "ama@example.com");
    assert_eq!(waiver.because, "it is a cache");
    let expected = [
        ("before", Verdict::Warning),
        ("before_hold", Verdict::Warning),
    ];
    assert_eq!(verdicts(&maintenance), expected);
    let waived = |report: &Report| {
        let judged = report.find(Check::UnloggedTables);
        judged.and_then(|judged| judged.waived.clone())
    };
    for report in &maintenance.preflight {
        assert_eq!(waived(report).as_ref(), Some(waiver));
    }
}

#[tokio::test]
async fn what_comes_up_while_the_copy_is_made_stops_it_before_clients_are_held() {
    let play = Play::begin().await;
    let place = Place {
        procedure: "changeover",
        step: "catch_up",
        call: 0,
    };
    play.sim.inject(place, Fault::HangBefore);
    let watched = crate::watch::Watch::new(&play.sim, None);
    let first = engine(&play.stage.store, &play.sim, watched, "server");
    first.run_maintenance(play.request(&[])).await.unwrap();
    let running = run(&first);
    play.sim.hung().await;
    running.abort();
    let _ = running.await;
    play.has_a_cache();
    let running = run(&play.engine());
    let ended = play.stage.end(play.database.id, PATIENCE).await;
    running.abort();
    assert_eq!(ended, Ended::RolledBack);
    let expected = [("before", Verdict::Pass), ("before_hold", Verdict::Blocked)];
    assert_eq!(verdicts(&play.newest().await), expected);
    let wrong = wrong(&play.stage, &play.sim, ended).await;
    assert_eq!(wrong, [] as [&str; 0]);
}

#[tokio::test]
async fn what_cannot_be_waived_is_refused_and_asking_changes_nothing() {
    let play = Play::begin().await;
    play.has_a_cache();
    let before = play.stage.rows().await;
    let engine = play.engine();
    for wish in [("room", "there will be"), ("unlogged_tables", " ")] {
        let refused = engine.run_maintenance(play.request(&[wish])).await;
        assert_eq!(refused.unwrap_err().kind, RefusalKind::Invalid, "{wish:?}");
    }
    let report = engine.preflight(&play.database, None, None).await.unwrap();
    assert_eq!(report.release_after, "15.20-b");
    assert_eq!(report.verdict(), Verdict::Blocked);
    let report = engine
        .preflight(&play.database, Some("15.17"), None)
        .await
        .unwrap();
    let release = report.find(Check::Release).unwrap();
    assert_eq!(release.verdict, Verdict::Blocked, "{release:?}");
    let unknown = engine.preflight(&play.database, Some("15.99"), None).await;
    assert_eq!(unknown.unwrap_err().kind, RefusalKind::NotFound);
    assert_eq!(play.stage.rows().await, before);
}

#[tokio::test]
async fn what_would_not_start_is_told_by_every_method_before_anything_is_made() {
    let play = Play::begin().await;
    play.sim.set_obstacles(vec![Finding {
        setting: Some("shared_preload_libraries".to_owned()),
        sentence: "the library `nowhere` is not there".to_owned(),
        hint: "install it".to_owned(),
        ..Finding::default()
    }]);
    let engine = play.engine();
    for (method, release) in [
        (None, "15.20-b"),
        (Some("changeover"), "15.20-b"),
        (Some("restart"), "15.18-a"),
    ] {
        let report = engine
            .preflight(&play.database, None, method)
            .await
            .unwrap();
        assert_eq!(report.release_after, release, "{method:?}");
        let judged = report.find(Check::Configuration).unwrap();
        assert_eq!(judged.verdict, Verdict::Blocked, "{method:?}");
        assert!(
            judged
                .seen
                .contains("setting shared_preload_libraries: the library `nowhere`")
        );
    }
    let before = play.sim.instances();
    for method in ["changeover", "restart"] {
        let request = RunMaintenance {
            method: Some(method.to_owned()),
            ..play.request(&[])
        };
        let (ended, maintenance) = play.run(request).await;
        assert_eq!(ended, Ended::RolledBack, "{method}");
        assert!(
            maintenance.sentence.unwrap().contains("would not start"),
            "{method}"
        );
        assert_eq!(play.sim.instances(), before, "{method}");
    }
}

#[tokio::test]
async fn a_method_that_a_run_would_refuse_is_refused() {
    let play = Play::begin().await;
    let engine = play.engine();
    for method in ["failover", "magic"] {
        let report = engine.preflight(&play.database, None, Some(method)).await;
        let run = engine.run_maintenance(RunMaintenance {
            method: Some(method.to_owned()),
            ..play.request(&[])
        });
        assert_eq!(report.unwrap_err(), run.await.unwrap_err(), "{method}");
    }
}
