//! Windows and weeks, as Heroku's data API has them.

use serde_json::{Value, json};
use upkeep_api::body::Wish;
use upkeep_api::client::Error;

use crate::program::Program;

const PLANNED: &str = "2030-01-15T17:30:00Z";
const REQUIRED: &str = "2030-01-30T00:00:00Z";

async fn planned() -> (Program, String) {
    let (program, addon) = Program::with_a_database().await;
    let [at, by] = [PLANNED, REQUIRED].map(|at| at.parse().unwrap());
    program.world.plan(addon.id, at, by);
    (program, format!("/data/maintenances/v1/{}", addon.id))
}

#[tokio::test]
async fn a_window_is_shown_with_every_key_of_the_contract() {
    let (program, addon) = Program::with_a_database().await;
    let path = format!("/data/maintenances/v1/{}/window", addon.id);
    let shown = program.get(&path).await;
    assert_eq!(
        shown.text,
        r#"{"previous_window":null,"previously_scheduled_at":null,"scheduled_at":null,"window":"Tuesdays 17:30 to 21:30 UTC"}"#
    );
}

#[tokio::test]
async fn the_fleet_is_listed_with_what_is_planned() {
    let (program, _) = planned().await;
    let idle = program.new_database().await;
    let fleet = program.get("/upkeep/v1/fleet").await.json();
    assert_eq!(fleet[0]["outlook"], "scheduled");
    assert_eq!(fleet[0]["scheduled_for"], "2030-01-15 17:30:00 +0000");
    assert_eq!(fleet[0]["required_by"], "2030-01-30 00:00:00 +0000");
    assert_eq!(fleet[0]["reason"], "security_release");
    let nothing = json!({
        "app": idle.app.name, "because": null, "database": idle.name, "method": null, "outlook": "up_to_date",
        "plan": "standard-0", "reason": null, "release": "15.18-system", "required_by": null, "scheduled_for": null,
    });
    assert_eq!(fleet[1], nothing);
}

#[tokio::test]
async fn a_window_is_changed_by_words_as_they_were_typed_and_moves_what_is_planned() {
    let (program, path) = planned().await;
    let typed = json!({"day_of_week": "sunday", "time_of_day": "1:30PM"});
    let changed = program.post(&format!("{path}/window"), &typed).await;
    assert_eq!(
        changed.json(),
        json!({
            "previous_window": "Tuesdays 17:30 to 21:30 UTC",
            "previously_scheduled_at": "2030-01-15 17:30:00 +0000",
            "scheduled_at": "2030-01-20 13:30:00 +0000",
            "window": "Sundays 13:30 to 17:30 UTC",
        })
    );
    let shown = program.get(&path).await.json();
    assert_eq!(shown["window"], "Sundays 13:30 to 17:30 UTC");
    assert_eq!(shown["addon"]["window"], "Sundays 13:30 to 17:30 UTC");
    assert_eq!(shown["scheduled_for"], "2030-01-20 13:30:00 +0000");
    assert_eq!(shown["required_by"], "2030-01-30 00:00:00 +0000");
    assert_eq!(shown["reason"], "security_release");
    let zoned = json!({"day_of_week": "sun", "time_of_day": "3:00", "time_zone": "Europe/Berlin"});
    let changed = program.post(&format!("{path}/window"), &zoned).await.json();
    assert_eq!(changed["window"], "Sundays 03:00 to 07:00 Europe/Berlin");
    assert_eq!(changed["scheduled_at"], "2030-01-20 02:00:00 +0000");
}

#[tokio::test]
async fn a_window_that_makes_no_sense_is_a_422_with_an_example() {
    let (program, path) = planned().await;
    for (day, time, zone, word) in [
        (
            "someday",
            "13:30",
            Value::Null,
            "`someday` is not a day of the week",
        ),
        ("sunday", "22:15", Value::Null, "on the half hour"),
        (
            "sunday",
            "22:00",
            json!("berlin"),
            "not the name of a time zone",
        ),
    ] {
        let typed = json!({"day_of_week": day, "time_of_day": time, "time_zone": zone});
        let refused = program.post(&format!("{path}/window"), &typed).await;
        assert_eq!(refused.status, 422);
        let text = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(text.contains(word), "{text}");
    }
    let shown = program.get(&path).await.json();
    assert_eq!(shown["window"], "Tuesdays 17:30 to 21:30 UTC");
}

#[tokio::test]
async fn a_maintenance_is_put_off_by_weeks_that_come_as_text() {
    let (program, path) = planned().await;
    let later = async |body: Value| program.post(&format!("{path}/schedule"), &body).await;
    let moved = later(json!({"delay_weeks": "1"})).await;
    assert_eq!(
        moved.text,
        r#"{"previously_scheduled_for":"2030-01-15 17:30:00 +0000","required_by":"2030-01-30 00:00:00 +0000","scheduled_for":"2030-01-22 17:30:00 +0000","window":"Tuesdays 17:30 to 21:30 UTC"}"#
    );
    for (body, scheduled_for) in [
        (json!({"delay_weeks": "-1"}), "2030-01-15 17:30:00 +0000"),
        (json!({"delay_weeks": "0"}), "2030-01-15 17:30:00 +0000"),
        (json!({"week": "2030-01-27"}), "2030-01-29 17:30:00 +0000"),
    ] {
        assert_eq!(later(body).await.json()["scheduled_for"], scheduled_for);
    }
    for body in [
        json!({"delay_weeks": "NaN"}),
        json!({"delay_weeks": "abc"}),
        json!({"delay_weeks": "1"}),
        json!({"delay_weeks": "-4"}),
        json!({"week": "soon"}),
        json!({}),
        json!({"delay_weeks": "1", "week": "2030-01-20"}),
    ] {
        let refused = later(body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
    }
}

#[tokio::test]
async fn essential_databases_have_no_window_and_nothing_to_schedule() {
    let (program, _) = Program::with_a_database().await;
    let wish = Wish {
        plan: "heroku-postgresql:essential-0".to_owned(),
        ..Wish::default()
    };
    let addon = program.client.create_addon("shop", wish).await.unwrap();
    program.world.provisioned(addon.id);
    let refusal = program.client.window(addon.id).await.unwrap_err();
    assert!(matches!(&refusal, Error::Refused { .. }), "{refusal:?}");
    let path = format!("/data/maintenances/v1/{}", addon.id);
    let typed = json!({"day_of_week": "sunday", "time_of_day": "1:30PM"});
    for (end, body) in [("window", typed), ("schedule", json!({"delay_weeks": "1"}))] {
        let refused = program.post(&format!("{path}/{end}"), &body).await;
        assert_eq!(refused.status, 422, "{end}");
    }
    let shown = program.get(&path).await.json();
    assert_eq!(
        (&shown["window"], &shown["addon"]["window"]),
        (&Value::Null, &Value::Null)
    );
}
