//! Apps and databases, as Heroku's platform API has them.

use reqwest::Method;
use serde_json::{Value, json};
use upkeep_api::body::Wish;
use upkeep_api::client::Error;

use crate::program::{Program, answer};

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_app_is_found_by_name_and_by_id_with_the_fields_that_clients_read() {
    let program = Program::start().await;
    let app = program
        .client
        .create_app(Some("shop".to_owned()))
        .await
        .unwrap();
    for key in ["shop".to_owned(), app.id.to_string()] {
        let shown = program.get(&format!("/apps/{key}")).await.json();
        assert_eq!(
            (&shown["name"], &shown["maintenance"]),
            (&json!("shop"), &json!(false))
        );
        assert_eq!(shown["build_stack"]["name"], "none");
    }
    assert_eq!(names(&program.get("/users/~/apps").await.json()), ["shop"]);
}

#[tokio::test]
async fn plans_are_listed_as_herokus_client_asks_for_them() {
    let program = Program::start().await;
    let plans = program.client.plans("heroku-postgresql").await.unwrap();
    let premium = plans
        .iter()
        .find(|plan| plan.name == "heroku-postgresql:premium-0")
        .unwrap();
    assert!(premium.high_availability && premium.human_name == "Premium 0");
    let unknown = program.get("/addon-services/heroku-redis/plans").await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn maintenance_mode_is_switched() {
    let program = Program::start().await;
    program
        .client
        .create_app(Some("shop".to_owned()))
        .await
        .unwrap();
    for on in [true, false] {
        let change = program
            .request(Method::PATCH, "/apps/shop")
            .json(&json!({ "maintenance": on }));
        assert_eq!(answer(change).await.json()["maintenance"], on);
        assert_eq!(program.get("/apps/shop").await.json()["maintenance"], on);
    }
}

#[tokio::test]
async fn a_bad_name_is_refused_before_anything_is_made() {
    let program = Program::start().await;
    let refused = program.post("/apps", &json!({"name": "../x"})).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (422, &json!("invalid_params"))
    );
    assert_eq!(program.get("/apps").await.json(), json!([]));
}

#[tokio::test]
async fn a_new_database_is_provisioning_and_free_of_charge() {
    let (program, _) = Program::with_a_database().await;
    let body =
        json!({"attachment": {}, "config": {}, "plan": {"name": "heroku-postgresql:standard-2"}});
    let made = program.post("/apps/shop/addons", &body).await;
    assert_eq!(made.status, 202);
    let made = made.json();
    assert_eq!(made["state"], "provisioning");
    assert_eq!(made["plan"]["name"], "heroku-postgresql:standard-2");
    assert_eq!(made["billed_price"]["cents"], 0);
}

#[tokio::test]
async fn a_plan_may_be_a_bare_text() {
    let (program, _) = Program::with_a_database().await;
    let made = program
        .post(
            "/apps/shop/addons",
            &json!({"plan": "heroku-postgresql:standard-0"}),
        )
        .await;
    assert_eq!(made.status, 202);
}

#[tokio::test]
async fn an_option_that_is_not_known_is_refused_and_not_left_out() {
    let (program, _) = Program::with_a_database().await;
    let body = json!({"config": {"fork": "DATABASE"}, "plan": "heroku-postgresql:standard-0"});
    let refused = program.post("/apps/shop/addons", &body).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.json()["message"]
            .as_str()
            .unwrap()
            .contains("--fork")
    );
    assert_eq!(program.client.addons(Some("shop")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_that_does_not_exist_is_answered_with_those_that_do() {
    let (program, _) = Program::with_a_database().await;
    let wish = Wish {
        plan: "heroku-postgresql:premium-99".to_owned(),
        ..Wish::default()
    };
    let Err(Error::Refused { status: 422, body }) = program.client.create_addon("shop", wish).await
    else {
        panic!("it was not refused")
    };
    assert!(body.hint.unwrap().contains("standard-0"));
}

#[tokio::test]
async fn a_database_is_resolved_by_everything_that_people_call_it() {
    let (program, addon) = Program::with_a_database().await;
    let id = addon.id.to_string();
    for text in [
        "DATABASE",
        "DATABASE_URL",
        "shop::DATABASE",
        &addon.name,
        &id,
        "heroku-postgresql",
    ] {
        let found = program
            .post(
                "/actions/addons/resolve",
                &json!({"addon": text, "app": "shop"}),
            )
            .await;
        assert_eq!(names(&found.json()), [&addon.name], "{text}");
    }
    let nothing = program
        .post(
            "/actions/addons/resolve",
            &json!({"addon": "NOPE", "app": null}),
        )
        .await;
    assert_eq!(nothing.json(), json!([]));
}

#[tokio::test]
async fn an_app_narrows_attachments_but_not_names() {
    let (program, addon) = Program::with_a_database().await;
    program
        .client
        .create_app(Some("other".to_owned()))
        .await
        .unwrap();
    let by = async |text: &str| {
        let found = program
            .post(
                "/actions/addons/resolve",
                &json!({"addon": text, "app": "other"}),
            )
            .await;
        found.json().as_array().unwrap().len()
    };
    assert_eq!((by("DATABASE").await, by(&addon.name).await), (0, 1));
}

#[tokio::test]
async fn two_databases_of_one_service_are_both_answered() {
    let (program, first) = Program::with_a_database().await;
    let second = program.new_database().await;
    let found = program
        .client
        .resolve("heroku-postgresql", Some("shop"))
        .await
        .unwrap();
    assert_eq!(
        found,
        [program.client.addon(first.id).await.unwrap(), second]
    );
}

#[tokio::test]
async fn an_attachment_is_resolved_to_itself_with_its_database_inlined() {
    let (program, addon) = Program::with_a_database().await;
    let wish = json!({"addon_attachment": "DATABASE_URL", "app": "shop"});
    let found = program
        .post("/actions/addon-attachments/resolve", &wish)
        .await
        .json();
    assert_eq!(names(&found), ["DATABASE"]);
    assert_eq!(
        found[0]["addon"]["plan"]["name"],
        "heroku-postgresql:standard-0"
    );
    assert_eq!(
        (&found[0]["addon"]["id"], &found[0]["namespace"]),
        (&json!(addon.id), &Value::Null)
    );
    let all = program.get("/apps/shop/addon-attachments").await.json();
    assert_eq!(names(&all), ["DATABASE", "HEROKU_POSTGRESQL_COLOUR1"]);
    assert_eq!(
        all[0]["id"], found[0]["id"],
        "the id of an attachment never changes"
    );
}

#[tokio::test]
async fn an_attachment_that_is_not_there_makes_the_client_look_again() {
    let (program, _) = Program::with_a_database().await;
    let wish = json!({"addon_attachment": "NOPE", "app": "shop"});
    let refused = program
        .post("/actions/addon-attachments/resolve", &wish)
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (404, &json!("not_found"))
    );
}

#[tokio::test]
async fn releases_of_an_app_are_never_empty_and_come_newest_first_if_asked() {
    let (program, _) = Program::with_a_database().await;
    let latest = program
        .request(Method::GET, "/apps/shop/releases")
        .header("Range", "version ..; order=desc,max=1");
    let latest = answer(latest).await.json();
    assert_eq!(
        (latest.as_array().unwrap().len(), &latest[0]["version"]),
        (1, &json!(2))
    );
    let all = program.get("/apps/shop/releases").await.json();
    assert_eq!(all[0]["version"], 1);
    assert_eq!(
        program.get("/apps/shop/releases/v2").await.json()["current"],
        true
    );
}

#[tokio::test]
async fn a_destroyed_database_says_so_and_is_gone() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/apps/{}/addons/{}", addon.app.id, addon.id);
    let gone = answer(
        program
            .request(Method::DELETE, &path)
            .json(&json!({"force": false})),
    )
    .await;
    assert_eq!(gone.json()["state"], "deprovisioning");
    assert_eq!(program.get(&path).await.status, 404);
}
