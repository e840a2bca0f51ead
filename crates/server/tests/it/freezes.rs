//! Times in which nothing is maintained: the part of the API about them.

use serde_json::json;
use upkeep_api::body::AddFreeze;

use crate::program::Program;

#[tokio::test]
async fn freezes_of_the_fleet_and_of_an_app_are_added_listed_and_removed() {
    let (program, addon) = Program::with_a_database().await;
    let app = addon.app.name;
    let closing = json!({"because": "year-end closing", "from": "12-20", "to": "01-03"});
    let added = program.post("/upkeep/v1/freezes", &closing).await;
    assert_eq!(added.status, 201);
    assert_eq!(
        added.text,
        r#"{"added_at":"2023-11-14T22:13:20Z","added_by":"ama@example.com","app":null,"because":"year-end closing","from":"12-20","id":1,"period":"every year from 12-20 to 01-03","time_zone":"UTC","to":"01-03"}"#
    );
    let weekends = AddFreeze {
        app: Some(app.clone()),
        because: "nobody is there".to_owned(),
        from: "fri 4pm".to_owned(),
        time_zone: Some("europe/berlin".to_owned()),
        to: "monday 8:00".to_owned(),
    };
    let weekends = program.client.add_freeze(&weekends).await.unwrap();
    assert_eq!(weekends.app, Some(app));
    assert_eq!(weekends.time_zone, "Europe/Berlin");
    assert_eq!(
        weekends.period,
        "every week from Fridays 16:00 to Mondays 08:00"
    );

    let removed = program.client.remove_freeze(1).await.unwrap();
    assert_eq!(removed.because, "year-end closing");
    assert_eq!(program.client.freezes().await.unwrap(), [weekends]);
    let again = program.client.remove_freeze(1).await.unwrap_err();
    assert!(again.to_string().contains("no freeze 1"), "{again}");
}

#[tokio::test]
async fn a_freeze_that_makes_no_sense_is_refused_and_nothing_is_kept() {
    let (program, _) = Program::with_a_database().await;
    for (wish, status, what) in [
        (
            json!({"because": "b", "from": "christmas", "to": "12-26"}),
            422,
            "neither a date",
        ),
        (
            json!({"because": "b", "from": "12-20", "to": "mon 8:00"}),
            422,
            "not of the same kind",
        ),
        (
            json!({"because": " ", "from": "12-20", "to": "01-03"}),
            422,
            "the reason of a freeze",
        ),
        (
            json!({"because": "b", "from": "12-20", "to": "01-03", "time_zone": "Mars"}),
            422,
            "time zone",
        ),
        (
            json!({"app": "nobody", "because": "b", "from": "12-20", "to": "01-03"}),
            404,
            "Couldn't find that app",
        ),
        (json!({"from": "12-20", "to": "01-03"}), 400, "because"),
    ] {
        let refused = program.post("/upkeep/v1/freezes", &wish).await;
        assert_eq!(refused.status, status, "{}", refused.text);
        assert!(refused.text.contains(what), "{}", refused.text);
    }
    assert_eq!(program.client.freezes().await.unwrap(), []);
}
