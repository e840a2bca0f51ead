//! Commands of Heroku's client that wait for a run: they ask again and again with the ids of all that
//! they were told, take every end for a good one, and have to learn of the others all the same.

use reqwest::Method;
use serde_json::json;
use upkeep_domain::procedure::End;

use crate::program::{Answer, Program, answer};

const OWN_IDS: [&str; 2] = [
    "0191e6a0-0000-7000-8000-000000000001",
    "0191e6a0-0000-7000-8000-000000000002",
];

/// As the client does: a new id first, then those of the answer before.
async fn ask_on(program: &Program, method: Method, path: &str, before: Option<&Answer>) -> Answer {
    let told = before.and_then(|answer| answer.request_id.clone());
    let own = OWN_IDS[usize::from(before.is_some())].to_owned();
    let ids = [Some(own), told].into_iter().flatten().collect::<Vec<_>>();
    answer(
        program
            .request(method, path)
            .header("Request-Id", ids.join(",")),
    )
    .await
}

#[tokio::test]
async fn who_waits_for_a_run_is_told_that_it_did_not_come_about() {
    for (end, sentence) in [
        (End::RolledBack, "was rolled back, nothing changed: a table"),
        (End::Stuck, "is stuck, a person has to look: a table"),
    ] {
        let (program, addon) = Program::with_a_database().await;
        let path = format!("/data/maintenances/v1/{}", addon.id);
        let begun = ask_on(&program, Method::POST, &format!("{path}/run"), None).await;
        let seen = ask_on(&program, Method::GET, &path, None).await;
        assert_eq!(seen.json()["status"], "running");
        program.world.finish(addon.id, end, Some("a table"));
        for before in [&begun, &seen] {
            let told = ask_on(&program, Method::GET, &path, Some(before)).await;
            assert_eq!(
                (told.status.as_u16(), &told.json()["id"]),
                (409, &json!("conflict"))
            );
            let message = told.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(sentence), "{message}");
        }
    }
}

#[tokio::test]
async fn who_did_not_wait_for_it_is_shown_how_it_ended() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/data/maintenances/v1/{}", addon.id);
    let run = format!("{path}/run");
    let earlier = ask_on(&program, Method::POST, &run, None).await;
    program
        .world
        .finish(addon.id, End::RolledBack, Some("a table"));
    let shown = ask_on(&program, Method::GET, &path, None).await;
    assert_eq!(shown.json()["outcome"], "rolled_back");
    let history = program.get(&format!("{path}/history/")).await.json();
    assert_eq!(history["maintenances"][0]["status"], "rolled_back");

    // Another run: what became of the earlier one is no news of it.
    let begun = program.request(Method::POST, &run);
    let begun = answer(begun.header("Request-Id", OWN_IDS[1])).await;
    program.world.finish(addon.id, End::Succeeded, None);
    for before in [&earlier, &begun] {
        let shown = ask_on(&program, Method::GET, &path, Some(before)).await;
        assert_eq!(shown.json()["outcome"], "succeeded");
    }
}
