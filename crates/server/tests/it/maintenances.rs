//! Maintenances and databases, as Heroku's data API has them.

use reqwest::Method;
use serde_json::{Value, json};
use upkeep_api::body::{Outcome, RunMaintenance, Status};
use upkeep_domain::procedure::End;

use crate::program::{Program, answer};

fn keys(text: &str) -> Vec<String> {
    // `serde_json` sorts the keys it reads; the order on the wire is what counts here. A key that an
    // inner object has too stands behind it, so the last occurrence is the one.
    let mut found: Vec<(usize, String)> =
        serde_json::from_str::<serde_json::Map<String, Value>>(text)
            .unwrap()
            .into_iter()
            .map(|(key, _)| (text.rfind(&format!("\"{key}\":")).unwrap(), key))
            .collect();
    found.sort();
    found.into_iter().map(|(_, key)| key).collect()
}

#[tokio::test]
async fn a_maintenance_has_every_key_of_the_contract_in_order_and_none_more() {
    let (program, addon) = Program::with_a_database().await;
    let shown = program
        .get(&format!("/data/maintenances/v1/{}", addon.id))
        .await;
    let contract = [
        "addon",
        "app",
        "completed_at",
        "duration_seconds",
        "method",
        "previously_scheduled_for",
        "reason",
        "required_by",
        "scheduled_for",
        "server_created_at",
        "started_at",
        "status",
        "window",
    ];
    assert_eq!(keys(&shown.text), contract);
    let shown = shown.json();
    assert_eq!(shown["status"], "none");
    assert_eq!(
        shown["addon"],
        json!({
            "attachments": ["DATABASE_URL", "HEROKU_POSTGRESQL_COLOUR1_URL"], "description": "Standard Non-HA",
            "kind": "heroku-postgresql", "name": addon.name, "plan": "standard-0", "uuid": addon.id,
            "window": "Tuesdays 17:30 to 21:30 UTC",
        })
    );
    assert_eq!(shown["app"], json!({"name": "shop", "uuid": addon.app.id}));
}

#[tokio::test]
async fn the_list_of_an_app_is_an_object_around_an_array() {
    let (program, addon) = Program::with_a_database().await;
    let list = program
        .get(&format!("/data/maintenances/v1/apps/{}", addon.app.id))
        .await
        .json();
    assert_eq!(list["maintenances"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_without_a_body_is_running_when_it_is_answered() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/data/maintenances/v1/{}", addon.id);
    let run = answer(program.request(Method::POST, &format!("{path}/run"))).await;
    assert_eq!(run.status, 202);
    assert_eq!(program.get(&path).await.json()["status"], "running");
}

#[tokio::test]
async fn the_same_run_sent_again_is_answered_and_not_run_again() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/data/maintenances/v1/{}/run", addon.id);
    let first = "0191e6a0-0000-7000-8000-000000000001";
    let send = async |ids: String| {
        answer(
            program
                .request(Method::POST, &path)
                .header("Request-Id", ids),
        )
        .await
    };
    let once = send(first.to_owned()).await;
    let again = send(format!("{first},0191e6a0-0000-7000-8000-000000000002")).await;
    assert_eq!((once.status, &once.text), (again.status, &again.text));
    assert_eq!(program.world.runs(), 1);
    let other = send("0191e6a0-0000-7000-8000-000000000003".to_owned()).await;
    assert_eq!(
        (other.status.as_u16(), &other.json()["id"]),
        (423, &json!("busy"))
    );
}

#[tokio::test]
async fn a_finished_run_says_what_clients_felt() {
    let (program, addon) = Program::with_a_database().await;
    program
        .client
        .run(
            addon.id,
            &RunMaintenance {
                release: Some("15.20".to_owned()),
                method: Some("restart".to_owned()),
                waive: Vec::new(),
            },
        )
        .await
        .unwrap();
    program.world.finish(addon.id, End::Succeeded, None);
    let shown = program
        .get(&format!("/data/maintenances/v1/{}", addon.id))
        .await;
    assert!(
        shown
            .text
            .contains(r#""steps_ms":{"hold":1.5,"fence":4.0,"check":9.0}"#),
        "{}",
        shown.text
    );
    let shown = shown.json();
    assert_eq!(
        (&shown["outcome"], &shown["duration_seconds"]),
        (&json!("succeeded"), &json!(186))
    );
    assert_eq!(
        (&shown["release_after"], &shown["release_before"]),
        (&json!("15.20"), &json!("15.18-system"))
    );
    assert_eq!(
        (&shown["method"], &shown["method_because"]),
        (&json!("restart"), &json!("it was asked for"))
    );
    assert_eq!(
        shown["settings_applied"],
        json!([{"after": "32768", "before": "16384", "name": "shared_buffers"}])
    );
    assert_eq!(
        shown["felt"],
        json!({
            "held_ms": 23.5, "longest_write_gap_ms": 41.25, "sessions_closed": {"temporary table": 1},
            "sessions_at_risk": {"settings without a known name": 2}, "sessions_held": 12, "sessions_moved": 11, "statements_failed": 0,
        })
    );
}

#[tokio::test]
async fn a_run_that_was_rolled_back_is_ready_again_and_says_why() {
    let (program, addon) = Program::with_a_database().await;
    program
        .client
        .run(addon.id, &RunMaintenance::default())
        .await
        .unwrap();
    program
        .world
        .finish(addon.id, End::RolledBack, Some("a transaction did not end"));
    let record = program.client.maintenance(addon.id).await.unwrap();
    assert_eq!(
        (record.status, record.outcome),
        (Status::Ready, Some(Outcome::RolledBack))
    );
    assert_eq!(
        record.outcome_because.as_deref(),
        Some("a transaction did not end")
    );
}

#[tokio::test]
async fn a_success_that_fell_back_says_so_and_is_no_plain_one_for_herokus_client() {
    let (program, addon) = Program::with_a_database().await;
    let wish = RunMaintenance::default();
    program.client.run(addon.id, &wish).await.unwrap();
    let why = "it did not start as it was to";
    program.world.finish(addon.id, End::Succeeded, Some(why));
    let record = program.client.maintenance(addon.id).await.unwrap();
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    assert_eq!(record.fell_back.as_deref(), Some(why));
    assert_eq!(record.outcome_because, None);
}

#[tokio::test]
async fn history_is_asked_with_a_slash_and_its_limit_is_checked() {
    let (program, addon) = Program::with_a_database().await;
    for _ in 0..22 {
        program
            .client
            .run(addon.id, &RunMaintenance::default())
            .await
            .unwrap();
        program.world.finish(addon.id, End::Succeeded, None);
    }
    let path = format!("/data/maintenances/v1/{}/history", addon.id);
    let count = async |query: &str| {
        let list = program.get(&format!("{path}{query}")).await.json();
        list["maintenances"].as_array().unwrap().len()
    };
    assert_eq!(count("/").await, 5);
    assert_eq!(count("/?limit=7").await, 7);
    assert_eq!(count("?limit=50").await, 20);
    assert_eq!(count("/?limit=-3").await, 1);
    let refused = program.get(&format!("{path}/?limit=abc")).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (422, &json!("invalid_params"))
    );
}

#[tokio::test]
async fn a_database_that_is_being_made_is_an_empty_404_and_an_unknown_one_a_full_one() {
    let (program, _) = Program::with_a_database().await;
    let young = program.new_database().await;
    let not_yet = program
        .get(&format!("/client/v11/databases/{}", young.id))
        .await;
    assert_eq!((not_yet.status.as_u16(), not_yet.text.as_str()), (404, ""));
    let unknown = program
        .get("/client/v11/databases/0191e6a0-0000-7000-8000-000000000001")
        .await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.json()["id"]),
        (404, &json!("not_found"))
    );
}

#[tokio::test]
async fn a_database_is_shown_in_lines_with_a_url_that_clients_know() {
    let (program, addon) = Program::with_a_database().await;
    let shown = program
        .get(&format!("/client/v11/databases/{}", addon.id))
        .await
        .json();
    assert!(
        shown["resource_url"]
            .as_str()
            .unwrap()
            .starts_with("postgres://")
    );
    assert_eq!(
        (&shown["waiting?"], &shown["following"]),
        (&json!(false), &Value::Null)
    );
    let line = |name: &str| {
        let lines = shown["info"].as_array().unwrap();
        lines
            .iter()
            .find(|line| line["name"] == name)
            .map(|line| line["values"][0].clone())
    };
    assert_eq!(line("Plan"), Some(json!("Standard 0")));
    assert_eq!(line("Data Size"), Some(json!("7.6 MB/64.0 GB")));
    assert_eq!(line("Connections"), Some(json!("3/120")));
    assert_eq!(line("Maintenance"), Some(json!("not required")));
    let window = line("Maintenance window");
    assert_eq!(window, Some(json!("Tuesdays 17:30 to 21:30 UTC")));
    assert_eq!(line("Followers"), None);
}

#[tokio::test]
async fn the_keys_of_a_wait_status_end_in_question_marks() {
    let (program, addon) = Program::with_a_database().await;
    let young = program.new_database().await;
    let status = async |id| {
        program
            .get(&format!("/client/v11/databases/{id}/wait_status"))
            .await
            .json()
    };
    assert_eq!(
        status(addon.id).await,
        json!({"error?": false, "message": "available", "step": null, "waiting?": false})
    );
    assert_eq!(status(young.id).await["waiting?"], true);
}

#[tokio::test]
async fn a_maintenance_is_required_with_a_reason_and_taken_back() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/upkeep/v1/databases/{}/requirement", addon.name);
    let wish = json!({"because": "a disk fails", "emergency": true});
    let required = program.post(&path, &wish).await;
    assert_eq!(required.status, 201);
    assert_eq!(
        required.text,
        format!(
            r#"{{"because":"a disk fails","by":"ama@example.com","database":"{}","emergency":true,"since":"2023-11-14T22:13:20Z"}}"#,
            addon.name
        )
    );
    let refused = program.post(&path, &json!({"because": " "})).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.text.contains("a line of 1 to 200"),
        "{}",
        refused.text
    );
    let taken_back = program.client.require_no_more(addon.id).await.unwrap();
    assert_eq!(taken_back.because, "a disk fails");
    let twice = program.client.require_no_more(addon.id).await.unwrap_err();
    assert!(twice.to_string().contains("nobody requires"), "{twice}");
}
