//! What is due is planned by itself, shown, moved by people, and done by the run that they begin.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use upkeep_domain::maintenance::Window;
use upkeep_testkit::releases_source;
use upkeep_testkit::up::{self, Options, Up};

use crate::wait::wait_until;
use crate::world::options;

const OLDER: &str = "15.18";
const NEWER: &str = "15.20";
const SOON: Duration = Duration::from_secs(30);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// As the contract writes them.
fn at(told: &Value) -> Timestamp {
    let told = told.as_str().unwrap();
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", told).unwrap()
}

async fn ask(up: &Up, command: &str) -> Value {
    let words: Vec<&str> = command.split(' ').collect();
    up.json(&words).await.unwrap()
}

async fn run(up: &Up, command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    up.run(&words).await.unwrap();
}

async fn refused(up: &Up, command: &str) -> String {
    let words: Vec<&str> = command.split(' ').collect();
    let ended = up.attempt(&words).await.unwrap();
    assert_eq!(ended.code, Some(2), "{command}: {}", ended.stderr);
    ended.stderr
}

/// And can come back when it is lifted.
async fn goes_out_of_the_way_of_a_freeze(up: &Up, scheduled: Timestamp) {
    let day = scheduled.strftime("%F");
    let add = format!("freezes:add -a shop --from {day} --to {day} --because closing");
    let freeze = ask(up, &add).await;
    assert_eq!(
        (&freeze["app"], &freeze["added_by"]),
        (&"shop".into(), &"owner@localhost".into())
    );
    wait_until("it is moved", SOON, async || {
        at(&ask(up, "data:maintenances:info orders").await["scheduled_for"]) != scheduled
    })
    .await;
    let info = ask(up, "data:maintenances:info orders").await;
    let note = info["schedule_note"].to_string();
    assert!(
        note.contains("moved out of a freeze (closing, from"),
        "{note}"
    );
    let back = format!("data:maintenances:schedule orders --week {day}");
    let why = refused(up, &back).await;
    assert!(why.contains("it is in a freeze (closing, from"), "{why}");
    assert_eq!(ask(up, "freezes").await, serde_json::json!([freeze]));
    run(up, &format!("freezes:remove {}", freeze["id"])).await;
    assert_eq!(at(&ask(up, &back).await["scheduled_for"]), scheduled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_release_is_planned_moved_and_done_by_a_run() {
    let looking = Options {
        plan_every: Some(Duration::from_secs(1)),
        ..options()
    };
    let up = Up::start(up::make_dir().unwrap(), looking).await.unwrap();
    let create = "addons:create heroku-postgresql:standard-0 -a shop --name orders --wait";
    run(&up, "apps:create shop").await;
    for version in [OLDER, NEWER] {
        let source = releases_source::find(version).unwrap();
        let [how, place] = source.options();
        let add = ["releases:add", &how, &place, "--name", version];
        up.run(&add).await.unwrap();
    }
    run(&up, &format!("{create} -- --release {OLDER}")).await;
    wait_until("it is planned", SOON, async || {
        ask(&up, "data:maintenances:info orders").await["status"] == "pending"
    })
    .await;
    let planned = ask(&up, "data:maintenances:info orders").await;
    assert_eq!(planned["reason"], "security_release");
    assert_eq!(planned["method"], "changeover");
    assert_eq!(planned["release_after"], NEWER);
    let required_by = at(&planned["required_by"]);
    let fleet = ask(&up, "fleet").await;
    assert_eq!(fleet[0]["outlook"], "scheduled", "{fleet}");
    assert_eq!(fleet[0]["required_by"], planned["required_by"]);

    // Of the windows that are left, one lies behind the notice and one before it.
    let wanted = required_by - DAY * 11;
    let (day, time) = (wanted.strftime("%A").to_string(), "12:00");
    let update = format!("data:maintenances:window:update orders {day} {time}");
    let changed = ask(&up, &update).await;
    assert_eq!(changed["previously_scheduled_at"], planned["scheduled_for"]);
    let window = Window::typed(&day, time, "UTC".parse().unwrap()).unwrap();
    assert_eq!(changed["window"], window.to_string());
    let scheduled = at(&changed["scheduled_at"]);
    let opening = window.openings(scheduled).next().unwrap();
    assert_eq!(opening.from, scheduled);
    assert!(opening.to <= required_by, "{opening:?}");
    let two: Vec<Timestamp> = window
        .openings(Timestamp::now())
        .take(2)
        .map(|o| o.from)
        .collect();
    let other = two.iter().find(|at| **at != scheduled).unwrap();
    let weeks = if *other < scheduled { -1 } else { 1 };
    let schedule = format!("data:maintenances:schedule orders --weeks {weeks}");
    let moved = ask(&up, &schedule).await;
    assert_eq!(at(&moved["scheduled_for"]), *other);
    assert_eq!(at(&moved["previously_scheduled_for"]), scheduled);
    let date = scheduled.strftime("%F");
    let back = ask(
        &up,
        &format!("data:maintenances:schedule orders --week {date}"),
    )
    .await;
    assert_eq!(at(&back["scheduled_for"]), scheduled);
    goes_out_of_the_way_of_a_freeze(&up, scheduled).await;
    let why = refused(&up, "data:maintenances:schedule orders --weeks 5").await;
    assert!(why.contains("after the maintenance is required"), "{why}");
    assert!(why.contains("windows that fit go from"), "{why}");
    let why = refused(&up, "data:maintenances:schedule orders --week soon").await;
    assert!(why.contains("`soon` is not a date"), "{why}");
    let info = ask(&up, "pg:info orders -a shop").await.to_string();
    assert!(info.contains("scheduled for"), "{info}");
    assert!(info.contains(&window.to_string()), "{info}");

    run(&up, "data:maintenances:run orders --confirm shop --wait").await;
    let history = ask(&up, "data:maintenances:history orders").await;
    let done = &history[0];
    assert_eq!(done["outcome"], "succeeded");
    assert_eq!(done["reason"], "security_release");
    assert_eq!(at(&done["scheduled_for"]), scheduled);
    assert_eq!(history.as_array().unwrap().len(), 1);
    let now = ask(&up, "data:maintenances:info orders").await;
    assert_eq!(now["status"], "completed", "nothing else is due");
    let fleet = ask(&up, "fleet").await;
    assert_eq!(fleet[0]["outlook"], "up_to_date", "{fleet}");
    assert_eq!(fleet[0]["release"], NEWER);
}
