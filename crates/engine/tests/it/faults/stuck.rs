//! What is stuck goes on when a person asks for more: by a loop over every call behind the point of
//! no return and on the way back that can be refused for good.

use std::sync::Arc;
use std::time::Duration;

use upkeep_domain::refusal::RefusalKind;
use upkeep_engine::Engine;
use upkeep_engine::request::{RunMaintenance, WaiverWish};
use upkeep_store::Database;
use upkeep_testkit::sim::{Fault, Sim};

use crate::case::{Case, Disturbance, picture, run, wrong};
use crate::stage::{Ended, PATIENCE, RELEASES, Stage, engine, maintenance_of, server};
use crate::table::{Way, can_be_undone};
use crate::undisturbed::Undisturbed;
use crate::watch::Watch;

/// What is tried again for minutes is not stuck yet.
const STUCK_WITHIN: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stuck_goes_on_where_it_stands_when_somebody_asks_again() {
    let undisturbed = Undisturbed::play().await;
    let calls = undisturbed.calls();
    let no_way_back = calls
        .iter()
        .filter(|call| !can_be_undone(call.step.direction));
    let server = server().await;
    let mut played = Vec::new();
    for (number, call) in no_way_back.enumerate() {
        let case = call.for_ever(Fault::Refused);
        let stage = Stage::new(&server, &format!("stage_{number}")).await;
        played.push(tokio::spawn(async move {
            let picture = play(&case, &stage).await;
            (case, picture)
        }));
    }
    let mut stuck = 0;
    for case in played {
        let (case, picture) = case.await.expect("a case is played to its end");
        let Some(picture) = picture else { continue };
        stuck += 1;
        assert_eq!(picture, undisturbed.of(&case).picture, "{case:?}");
    }
    assert!(stuck > 5, "only {stuck} of them were stuck");
}

/// What there is in the end, unless it never was stuck.
async fn play(case: &Case, stage: &Stage) -> Option<String> {
    let sim = Arc::new(Sim::new(&RELEASES));
    case.lead(&sim);
    let Disturbance::ForEver(place, fault) = case.disturbance else {
        panic!("{case:?} disturbs for ever");
    };
    sim.inject_for_ever(place, fault);
    let watch = Watch::new(&sim, None);
    let engine = engine(&stage.store, &sim, watch, "server");
    let id = case.begin(stage, &engine, &sim).await;
    let running = run(&engine);
    let mut picture_in_the_end = None;
    if stage.end(id, STUCK_WITHIN).await == Ended::Stuck {
        let database = stage.database(id).await.expect("it is stuck, not gone");
        let asked = engine.destroy_database(&database).await;
        let refused = asked.expect_err("it has to end first");
        assert!(refused.sentence.contains("it goes on now"), "{refused:?}");
        assert_eq!(stage.end(id, PATIENCE).await, Ended::Stuck, "{case:?}");
        sim.heal();
        ask_again(case, &engine, &database).await;
        let ended = stage.end(id, PATIENCE).await;
        let expected = match case.way {
            Way::Back => Ended::RolledBack,
            Way::Straight | Way::Again | Way::Disposed | Way::Replaced => Ended::Succeeded,
        };
        assert_eq!(ended, expected, "{case:?}");
        let wrong = wrong(stage, &sim, ended).await;
        assert!(wrong.is_empty(), "{case:?}: {wrong:?}");
        picture_in_the_end = Some(picture(stage, &sim, id).await);
    }
    running.abort();
    let _ = running.await;
    picture_in_the_end
}

/// They would be lost on what goes on as it was begun.
async fn refuse_other_words(engine: &Engine, database: &Database) {
    let asked = || maintenance_of(database.clone());
    let waiver = WaiverWish {
        check: "unlogged_tables".to_owned(),
        because: "it is a cache".to_owned(),
    };
    for (option, request) in [
        (
            "--method",
            RunMaintenance {
                method: Some("another".to_owned()),
                ..asked()
            },
        ),
        (
            "--release",
            RunMaintenance {
                release: Some("15.17".to_owned()),
                ..asked()
            },
        ),
        (
            "--waive",
            RunMaintenance {
                waivers: vec![waiver],
                ..asked()
            },
        ),
    ] {
        let refused = engine.run_maintenance(request).await;
        let refused = refused.expect_err("it is not what is stuck");
        assert!(refused.sentence.contains(option), "{refused:?}");
        assert_eq!(refused.kind, RefusalKind::Busy);
    }
}

/// A maintenance is shown as what goes on. Other work is not taken for one: it is told.
async fn ask_again(case: &Case, engine: &Engine, database: &Database) {
    if let "changeover" | "restart" | "failover" = case.table.procedure {
        refuse_other_words(engine, database).await;
    }
    let asked = engine
        .run_maintenance(maintenance_of(database.clone()))
        .await;
    let method = match case.table.procedure {
        "follower_changeover" => "changeover",
        procedure => procedure,
    };
    match (method, asked) {
        (method @ ("changeover" | "restart" | "failover"), asked) => {
            let maintenance = asked.unwrap_or_else(|refused| panic!("{case:?}: {refused:?}"));
            assert_eq!(
                (maintenance.method.as_str(), maintenance.outcome),
                (method, None)
            );
        }
        (procedure, Err(refused)) => {
            assert_eq!(refused.kind, RefusalKind::Busy);
            assert!(refused.sentence.contains(procedure), "{refused:?}");
        }
        (_, Ok(maintenance)) => panic!("{case:?} is no {maintenance:?}"),
    }
}
