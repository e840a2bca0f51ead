//! `upkeep up` where it cannot run.

use std::fs;
use std::net::TcpListener;

use camino::Utf8Path;
use tempfile::TempDir;
use upkeep_testkit::up::{Running, Up};

use super::{REFUSED, said};
use crate::world::{World, options};

#[tokio::test]
async fn up_names_the_address_that_is_taken_and_starts_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for option in ["--listen", "--endpoint-listen"] {
        let outside = TempDir::new().unwrap();
        let dir = Utf8Path::from_path(outside.path()).unwrap().join("made");
        let other = match option {
            "--listen" => "--endpoint-listen",
            _ => "--listen",
        };
        let args = ["up", option, &taken, other, "127.0.0.1:0"];
        let ended = Running::begin(&options(), &dir, &args)
            .unwrap()
            .ended()
            .await;
        let ended = ended.unwrap();
        said(&ended, REFUSED, &format!("cannot listen on `{taken}`"));
        said(&ended, REFUSED, "\n\nhint: choose other addresses");
        assert!(!dir.exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn up_says_what_is_wrong_in_a_table_of_plans_and_starts_nothing() {
    let outside = TempDir::new().unwrap();
    let outside = Utf8Path::from_path(outside.path()).unwrap();
    let (dir, plans) = (outside.join("made"), outside.join("plans.toml"));
    let wrong = upkeep_domain::plan::DEFAULTS.replacen("connections = 120", "connections = 0", 1);
    fs::write(&plans, wrong).unwrap();
    let addresses = [
        "--listen",
        "127.0.0.1:0",
        "--endpoint-listen",
        "127.0.0.1:0",
    ];
    let args = [&["up", "--plans", plans.as_str()][..], &addresses].concat();
    let ended = Running::begin(&options(), &dir, &args)
        .unwrap()
        .ended()
        .await;
    let ended = ended.unwrap();
    said(
        &ended,
        REFUSED,
        "`connections`: 0 is not allowed: 1 to 5000",
    );
    said(&ended, REFUSED, "plans.toml");
    assert!(!dir.exists(), "nothing was begun");
}

#[tokio::test]
async fn a_second_up_in_a_directory_leaves_the_first_one_as_it_is() {
    let world = World::new().await;
    let files = || ["config.toml", "client.json", "token"].map(|name| read(&world.up, name));
    let before = files();
    let elsewhere = [
        "--listen",
        "127.0.0.1:0",
        "--endpoint-listen",
        "127.0.0.1:0",
    ];
    let args = [&["up"][..], &elsewhere].concat();
    let ended = world.up.attempt(&args).await.unwrap();
    said(&ended, REFUSED, "another process has this role already");
    assert_eq!(files(), before);
    world.up.run(&["apps"]).await.unwrap();
}

fn read(up: &Up, name: &str) -> String {
    fs::read_to_string(up.dir().join(name)).unwrap()
}
