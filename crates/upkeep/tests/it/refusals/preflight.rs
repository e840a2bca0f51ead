//! What a preflight sees on a real server, what it stops, and what a person may waive.

use serde::Deserialize;

use super::{NOT_DONE, REFUSED, listing, said};
use crate::left;
use crate::world::{World, other};

const CACHE: &str = "CREATE UNLOGGED TABLE cache AS SELECT 1 AS a";

#[derive(Debug, Deserialize)]
struct Report {
    checks: Vec<Check>,
    actions: Vec<serde::de::IgnoredAny>,
    verdict: String,
    run: String,
}

#[derive(Debug, Deserialize)]
struct Check {
    name: String,
    verdict: String,
    seen: String,
    waived: Option<Waived>,
}

#[derive(Debug, Deserialize)]
struct Waived {
    by: String,
    because: String,
}

#[derive(Debug, Deserialize)]
struct Kept {
    preflight: Vec<Report>,
}

impl Report {
    fn check(&self, name: &str) -> &Check {
        let mut named = self.checks.iter().filter(|check| check.name == name);
        named.next().unwrap_or_else(|| panic!("{name}: {self:?}"))
    }
}

#[tokio::test]
async fn what_would_be_lost_stops_a_run_unless_a_person_waives_it() {
    let world = World::new().await;
    let from = world.release().await;
    let to = other(&from);
    let ask = [
        "data:maintenances:preflight",
        &world.database,
        "--release",
        to,
    ];
    let clean: Report = world.up.json(&ask).await.unwrap();
    assert_ne!(clean.verdict, "blocked", "{clean:?}");
    assert!(clean.actions.is_empty(), "{clean:?}");
    let keeper = world.connect().await;
    let scratch = "CREATE TEMP TABLE scratch (a int)";
    keeper.batch_execute(scratch).await.unwrap();
    let asked: Report = world.up.json(&ask).await.unwrap();
    let sessions = asked.check("sessions");
    assert_eq!(sessions.verdict, "warning", "{sessions:?}");
    assert!(sessions.seen.contains("will be closed: 1"), "{sessions:?}");
    drop(keeper);

    world.connect().await.batch_execute(CACHE).await.unwrap();
    let before = listing(&world.up).await;
    let ended = world
        .up
        .attempt(&[&ask[..], &["--json"]].concat())
        .await
        .unwrap();
    assert_eq!(ended.code, NOT_DONE, "{ended:?}");
    let report: Report = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(report.check("unlogged_tables").verdict, "blocked");
    let read = world.up.attempt(&ask).await.unwrap();
    assert!(
        read.stdout.contains("blocked by unlogged_tables"),
        "{read:?}"
    );
    assert_eq!(listing(&world.up).await, before, "asking changes nothing");

    let run = [
        "data:maintenances:run",
        &world.database,
        "--confirm",
        "shop",
    ];
    let run = [&run[..], &["--release", to, "--wait"]].concat();
    let room = [&run[..], &["--waive", "room", "--because", "it fits"]].concat();
    let refused = world.up.attempt(&room).await.unwrap();
    said(&refused, REFUSED, "the check `room` cannot be waived");
    assert_eq!(listing(&world.up).await, before);

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    assert!(
        ending.because.contains("would be emptied: public.cache"),
        "{ending:?}"
    );
    left::nothing_but_the_primary(&world, &from).await;

    let waive = ["--waive", "unlogged_tables", "--because", "it is a cache"];
    let ended = world
        .up
        .attempt(&[&run[..], &waive].concat())
        .await
        .unwrap();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    left::nothing_but_the_primary(&world, to).await;
    let info = ["data:maintenances:info", &world.database];
    let kept: Kept = world.up.json(&info).await.unwrap();
    let runs: Vec<&str> = kept.preflight.iter().map(|r| r.run.as_str()).collect();
    assert_eq!(runs, ["before", "before_hold"]);
    for report in &kept.preflight {
        let check = report.check("unlogged_tables");
        assert!(check.seen.contains("public.cache"), "{check:?}");
        let waived = check.waived.as_ref().unwrap();
        assert_eq!(
            (waived.by.as_str(), waived.because.as_str()),
            ("owner@localhost", "it is a cache")
        );
    }
}
