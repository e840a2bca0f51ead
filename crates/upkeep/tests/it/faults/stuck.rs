//! A run that cannot go on behind its point of no return: clients are served, it says what is in the
//! way, and when that is mended it goes on where it stands, because a person asks for it again.

use std::fs;

use serde_json::Value;
use upkeep_testkit::up::Running;

use crate::left;
use crate::world::{World, other};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_run_goes_on_when_it_is_run_again() {
    let world = World::new().await;
    let client = world.connect().await;
    let table = "CREATE TABLE written(what text)";
    client.batch_execute(table).await.unwrap();
    let from = world.release().await;
    let old = world.primary().await.unwrap();
    let running = world.begin_and_stop_at("promote", "after_commit").await;
    // What the agent knows of the old primary, which is still to be ended.
    let record = old.data_dir.with_file_name("instance.json");
    let aside = record.with_extension("aside");
    fs::rename(&record, &aside).unwrap();
    world.up.look_again().unwrap();
    is_stuck(&world, running).await;
    // Everybody was released before: being stuck is not felt.
    let write = "INSERT INTO written VALUES ('while it is stuck')";
    client.batch_execute(write).await.unwrap();

    // The cause is still there.
    is_stuck(&world, run(&world)).await;

    fs::rename(&aside, &record).unwrap();
    let ending = world.ending(run(&world)).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert!(ending.run.felt.is_some(), "{ending:?}");
    let history = ["data:maintenances:history", &world.database];
    let history: Vec<Value> = world.up.json(&history).await.unwrap();
    assert_eq!(history.len(), 1, "it was the same run all the time");
    left::nothing_but_the_primary(&world, other(&from)).await;
    let written = client.query("SELECT what FROM written", &[]).await;
    assert_eq!(written.unwrap().len(), 1);
}

async fn is_stuck(world: &World, running: Running) {
    let ended = running.ended().await.unwrap();
    assert_eq!(ended.code, Some(3), "a person has to look: {ended:?}");
    let cause = "there is no instance";
    for sentence in ["is stuck", cause, "goes on where it stands"] {
        assert!(ended.stderr.contains(sentence), "{sentence}: {ended:?}");
    }
    let info = ["data:maintenances:info", &world.database];
    let info: Value = world.up.json(&info).await.unwrap();
    assert_eq!(
        (&info["status"], &info["outcome"]),
        (&"running".into(), &"stuck".into())
    );
    assert!(
        info["outcome_because"].as_str().unwrap().contains(cause),
        "{info}"
    );
}

/// As a person asks who has read the hint.
fn run(world: &World) -> Running {
    let run = [
        "data:maintenances:run",
        &world.database,
        "--confirm",
        "shop",
    ];
    world
        .up
        .begin(&[&run[..], &["--wait", "--json"]].concat())
        .unwrap()
}
