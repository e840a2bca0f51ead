//! Events and PostgreSQL releases: the part of the API that is ours.

use std::time::{Duration, Instant};

use serde_json::json;
use upkeep_api::body::{EventKind as Kind, PreflightVerdict};
use upkeep_server::backend::EventKind;

use crate::program::Program;

#[tokio::test]
async fn events_are_read_onwards_from_the_last_one_seen() {
    let (program, addon) = Program::with_a_database().await;
    program
        .world
        .tell(addon.id, EventKind::Began, "check", "Checking");
    program
        .world
        .tell(addon.id, EventKind::Done, "check", "Checked");
    let all = program.client.events(addon.id, None, 0).await.unwrap();
    assert_eq!(
        all.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [Kind::Began, Kind::Done]
    );
    let rest = program
        .client
        .events(addon.id, Some(all[0].id), 0)
        .await
        .unwrap();
    assert_eq!(rest, all[1..]);
    assert_eq!(rest[0].elapsed_ms, Some(12.0));
}

#[tokio::test]
async fn a_reader_that_waits_is_answered_as_soon_as_there_is_news() {
    let (program, addon) = Program::with_a_database().await;
    let begun = Instant::now();
    let reader = program.client.events(addon.id, None, 20_000);
    let news = async {
        program.world.is_waited_on().await;
        program
            .world
            .tell(addon.id, EventKind::Began, "hold", "Holding");
    };
    let (events, ()) = tokio::join!(reader, news);
    assert_eq!(events.unwrap().len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_release_is_added_in_the_words_of_the_contract() {
    let program = Program::start().await;
    let wish = json!({"from": {"kind": "debian", "version": "15.20"}, "name": "mine"});
    let added = program.post("/upkeep/v1/releases", &wish).await;
    assert_eq!(added.status, 201);
    let added = added.json();
    assert_eq!(
        (&added["name"], &added["version"]),
        (&json!("mine"), &json!("15.20"))
    );
    assert_eq!(
        added["source"],
        "Debian package postgresql-15 15.20-0+deb12u1"
    );
    let bad = json!({"from": {"kind": "debian", "version": "15.20"}, "name": "../x"});
    assert_eq!(program.post("/upkeep/v1/releases", &bad).await.status, 422);
}

#[tokio::test]
async fn a_release_in_use_stays() {
    let program = Program::start().await;
    let refused = program
        .client
        .remove_release("15.18-system")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(refused, "`15.18-system` is in use");
}

#[tokio::test]
async fn a_preflight_is_told_check_by_check_for_the_release_that_was_asked_for() {
    let (program, addon) = Program::with_a_database().await;
    let report = program
        .client
        .preflight(addon.id, None, None)
        .await
        .unwrap();
    assert_eq!(report.release_after, "15.20-debian");
    assert_eq!(report.verdict, PreflightVerdict::Blocked);
    let told: Vec<_> = report
        .checks
        .iter()
        .map(|check| (check.name.as_str(), check.verdict, check.todo.as_deref()))
        .collect();
    let expected = [
        ("primary", PreflightVerdict::Pass, None),
        (
            "logical_slots",
            PreflightVerdict::Warning,
            Some("drop them"),
        ),
        ("room", PreflightVerdict::Blocked, Some("make room")),
    ];
    assert_eq!(told, expected);
    let waived = report.checks[1].waived.as_ref().unwrap();
    assert_eq!(waived.by, "ama@example.com");
    let asked = program
        .client
        .preflight(addon.id, Some("15.19+x"), Some("restart"));
    assert_eq!(asked.await.unwrap().release_after, "15.19+x");
    let asked = program.client.preflight(addon.id, None, Some("re+start"));
    let refused = asked.await.unwrap_err().to_string();
    assert!(
        refused.contains("there is no method `re+start`"),
        "{refused}"
    );
}
