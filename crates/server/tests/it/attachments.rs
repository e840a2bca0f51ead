//! Names of databases in apps, as Heroku's client makes, lists, moves and removes them.

use reqwest::Method;
use serde_json::{Value, json};
use upkeep_api::body::Addon;

use crate::program::{Answer, Program, answer};

const ATTACHMENTS: &str = "/addon-attachments";

fn names(list: &Value) -> Vec<&str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

/// As `pg:promote` says it.
fn wish(addon: &Addon, confirm: Option<&str>, name: Option<&str>) -> Value {
    json!({
        "addon": {"name": addon.name}, "app": {"name": "shop"}, "confirm": confirm, "name": name,
        "namespace": null,
    })
}

async fn told(program: &Program) -> Vec<String> {
    let latest = program
        .request(Method::GET, "/apps/shop/releases")
        .header("Range", "version ..; max=2, order=desc");
    let latest = answer(latest).await.json();
    let told = latest.as_array().unwrap().iter();
    told.map(|one| one["description"].as_str().unwrap().to_owned())
        .collect()
}

async fn delete(program: &Program, attachment: &Value) -> Answer {
    let path = format!("{ATTACHMENTS}/{}", attachment["id"].as_str().unwrap());
    answer(program.request(Method::DELETE, &path)).await
}

#[tokio::test]
async fn a_name_is_moved_to_another_database_as_a_promotion_does_it() {
    let (program, old) = Program::with_a_database().await;
    let new = program.new_database().await;
    program.world.provisioned(new.id);

    let unasked = wish(&new, None, Some("DATABASE"));
    let refused = program.post(ATTACHMENTS, &unasked).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (423, &json!("confirmation_required"))
    );
    let asked = wish(&new, Some("shop"), Some("DATABASE"));
    let moved = program.post(ATTACHMENTS, &asked).await;
    assert_eq!(moved.status, 201);
    let moved = moved.json();
    assert_eq!(
        (
            &moved["name"],
            &moved["config_vars"],
            &moved["addon"]["name"]
        ),
        (
            &json!("DATABASE"),
            &json!(["DATABASE_URL"]),
            &json!(new.name)
        )
    );
    assert_eq!(
        told(&program).await,
        [
            format!("Attach DATABASE (@ref:{})", new.name),
            format!("Detach DATABASE (@ref:{})", old.name)
        ]
    );
    let all = program.get("/apps/shop/addon-attachments").await.json();
    let holder = all
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "DATABASE");
    assert_eq!(holder.unwrap()["addon"]["name"], new.name);
    let vars = program.get("/apps/shop/config-vars").await.json();
    let url = vars["DATABASE_URL"].as_str().unwrap();
    assert!(url.ends_with(&new.name), "{url}");
}

#[tokio::test]
async fn without_a_name_one_is_found_and_a_lost_answer_is_given_again() {
    let (program, addon) = Program::with_a_database().await;
    let ask = async || {
        let asked = program
            .request(Method::POST, ATTACHMENTS)
            .header("Request-Id", "0191e6a0-0000-7000-8000-000000000001")
            .json(&json!({"addon": addon.name, "app": "shop"}));
        answer(asked).await.json()
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!(first, again);
    let path = format!("/addons/{}/addon-attachments", addon.name);
    assert_eq!(names(&program.get(&path).await.json()).len(), 3);
}

#[tokio::test]
async fn an_attachment_is_found_by_name_config_var_and_id_until_it_is_removed() {
    let (program, addon) = Program::with_a_database().await;
    let body = wish(&addon, None, Some("REPORTS"));
    let made = program.post(ATTACHMENTS, &body).await.json();
    let id = made["id"].as_str().unwrap();
    for path in [
        "/apps/shop/addon-attachments/REPORTS".to_owned(),
        "/apps/shop/addon-attachments/REPORTS_URL".to_owned(),
        format!("/apps/shop/addon-attachments/{id}"),
        format!("{ATTACHMENTS}/{id}"),
    ] {
        assert_eq!(program.get(&path).await.json(), made, "{path}");
    }
    let gone = delete(&program, &made).await;
    assert_eq!((gone.status.as_u16(), gone.json()), (200, made.clone()));
    assert_eq!(delete(&program, &made).await.status, 404);
    let path = format!("/apps/shop/addon-attachments/{id}");
    assert_eq!(program.get(&path).await.status, 404);
}

#[tokio::test]
async fn the_last_name_is_kept_with_a_reason() {
    let (program, _) = Program::with_a_database().await;
    let all = program.get(ATTACHMENTS).await.json();
    assert_eq!(delete(&program, &all[0]).await.status, 200);
    let refused = delete(&program, &all[1]).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["id"]),
        (409, &json!("conflict"))
    );
}

#[tokio::test]
async fn another_app_gets_it_by_the_name_it_has_here() {
    let (program, addon) = Program::with_a_database().await;
    let other = program.client.create_app(Some("other".to_owned())).await;
    let shown = program.get("/addons/shop::DATABASE").await.json();
    assert_eq!(shown["name"], addon.name);
    let body =
        json!({"addon": {"name": addon.name}, "app": {"id": other.unwrap().id}, "name": "SHOP"});
    let made = program.post(ATTACHMENTS, &body).await.json();
    assert_eq!(
        (&made["app"]["name"], &made["addon"]["app"]["name"]),
        (&json!("other"), &json!("shop"))
    );
    let there = program.get("/apps/other/addon-attachments").await.json();
    assert_eq!(names(&there), ["SHOP"]);
    let vars = program.get("/apps/other/config-vars").await.json();
    assert!(vars["SHOP_URL"].is_string(), "{vars}");
    for (text, app, count) in [
        ("SHOP", "other", 1),
        ("SHOP", "shop", 0),
        ("DATABASE", "other", 0),
    ] {
        let found = program.client.resolve(text, Some(app)).await.unwrap();
        assert_eq!(found.len(), count, "{text} of {app}");
    }
    let by_name = json!({"addon_attachment": addon.name, "app": "other"});
    let path = "/actions/addon-attachments/resolve";
    let found = program.post(path, &by_name).await.json();
    assert_eq!(names(&found), ["SHOP"], "its name in the app that asks");
    let all = program.get("/apps/other/addons").await.json();
    assert_eq!(names(&all), [&addon.name]);
    // What the owner is told about it is what the owner has.
    let owned = program.client.addon(addon.id).await.unwrap();
    assert!(!owned.config_vars.contains(&"SHOP_URL".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_attached_is_refused() {
    let (program, addon) = Program::with_a_database().await;
    let with = |key: &str, value: Value| {
        let mut body = wish(&addon, None, None);
        body[key] = value;
        body
    };
    for (body, status) in [
        (with("name", json!("lower_case")), 422),
        (with("name", json!("DATABASE_URL")), 422),
        (with("namespace", json!("credential:reports")), 422),
        (with("addon", json!("nothing")), 404),
        (with("addon", json!("shop::NOTHING")), 404),
        (with("app", json!("nobody")), 404),
        (with("app", json!(7)), 400),
    ] {
        let refused = program.post(ATTACHMENTS, &body).await;
        assert_eq!(refused.status, status, "{body}");
    }
    let all = program.get(ATTACHMENTS).await.json();
    assert_eq!(names(&all).len(), 2);
}
