//! How refusals look, whoever makes them.

use reqwest::Method;
use serde_json::json;

use crate::program::{Program, answer};
use crate::world::{DEFECT, TOKEN};

#[tokio::test]
async fn without_a_token_nobody_learns_anything() {
    let program = Program::start().await;
    for path in ["/account", "/apps", "/no/such/path"] {
        let refused = answer(program.without_token(path)).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            refused.json(),
            json!({"id": "unauthorized", "message": "Invalid credentials provided."})
        );
    }
    let wrong = answer(program.without_token("/account").bearer_auth("wrong")).await;
    assert_eq!(wrong.status, 401);
}

#[tokio::test]
async fn a_token_may_come_as_the_password_of_basic() {
    let program = Program::start().await;
    let answer = answer(
        program
            .without_token("/account")
            .basic_auth("", Some(TOKEN)),
    )
    .await;
    assert_eq!(answer.json()["email"], "ama@example.com");
}

#[tokio::test]
async fn every_refusal_is_json_with_an_id_and_a_message() {
    let program = Program::start().await;
    for (method, path, status, id) in [
        (Method::GET, "/no/such/path", 404, "not_found"),
        (Method::GET, "/apps/nobody", 404, "not_found"),
        (Method::DELETE, "/apps", 405, "method_not_allowed"),
        (Method::GET, "/apps/%ff", 400, "bad_request"),
    ] {
        let refused = answer(program.request(method, path)).await;
        assert_eq!(refused.status, status, "{path}");
        assert_eq!(refused.json()["id"], id, "{path}");
        assert!(
            refused.json()["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_hint_is_part_of_the_message_for_clients_that_know_none() {
    let program = Program::start().await;
    program
        .client
        .create_app(Some("shop".to_owned()))
        .await
        .unwrap();
    let refused = program.post("/apps", &json!({"name": "shop"})).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.text,
        r#"{"hint":"choose another","id":"conflict","message":"Name is already taken\nchoose another","sentence":"Name is already taken"}"#
    );
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_bad_request() {
    let program = Program::start().await;
    let refused = answer(program.request(Method::POST, "/apps").body("{nonsense")).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (400, &json!("bad_request"))
    );
}

#[tokio::test]
async fn a_body_larger_than_any_that_makes_sense_is_not_read() {
    let program = Program::start().await;
    let refused = answer(
        program
            .request(Method::POST, "/apps")
            .body("x".repeat(65 * 1024)),
    )
    .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (413, &json!("request_too_large"))
    );
}

#[tokio::test]
async fn a_panic_is_answered_and_the_connection_lives_on() {
    let program = Program::start().await;
    let refused = program.get(&format!("/apps/{DEFECT}")).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (500, &json!("internal_server_error"))
    );
    assert!(refused.request_id.is_some());
    assert_eq!(program.get("/apps").await.status, 200);
}

#[tokio::test]
async fn the_answer_carries_the_first_id_of_the_request() {
    let program = Program::start().await;
    let first = "0191e6a0-0000-7000-8000-000000000001";
    let ids = format!("{first},0191e6a0-0000-7000-8000-000000000002");
    let named = answer(
        program
            .request(Method::GET, "/apps")
            .header("Request-Id", ids),
    )
    .await;
    assert_eq!(named.request_id.as_deref(), Some(first));
    let nameless = program.get("/apps").await;
    assert_eq!(
        nameless.request_id.as_deref(),
        Some("00000000-0000-0000-0000-000000000001")
    );
}
