//! The replacement does not hear, or does not keep up: stopped where it stands, cut off from its primary,
//! or with its replay paused.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::wait_for;
use crate::world::{World, connect, other};
use crate::{left, load};

const SOON: Duration = Duration::from_secs(60);
/// Replay may be 4 MB behind when clients are held; this is more.
const FILL: &str = "CREATE TABLE filled AS SELECT repeat('x', 900) FROM generate_series(1, 20000)";

/// Processes whose title has this word, of the server that works in `data`.
fn processes(data: &str, word: &str) -> Vec<Pid> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let of = |pid: &i32| {
        let place = fs::read_link(format!("/proc/{pid}/cwd"));
        let title = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        place.is_ok_and(|place| place == Path::new(data)) && title.contains(word)
    };
    pids.filter(of).map(Pid::from_raw).collect()
}

/// Stopped before clients are held, as if the link to it had been cut, or its machine hung.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_that_does_not_hear_is_not_waited_for_under_a_hold() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    for word in ["walreceiver", ""] {
        let running = world.begin_and_stop_at("check_again", "after_commit").await;
        let replacement = world.replacement().await.expect("the replacement runs");
        let stopped = processes(replacement.data_dir.as_str(), word);
        assert!(!stopped.is_empty(), "{word}");
        for pid in &stopped {
            kill(*pid, Signal::SIGSTOP).unwrap();
        }
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "rolled_back", "{word}: {ending:?}");
        left::nothing_but_the_primary(&world, &from).await;
        load::unharmed(&load, word);
    }
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_replacement_whose_replay_is_paused_is_waited_for_before_anybody_is_held() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let mut running = world.begin_and_stop_at("checkpoint", "after_commit").await;
    let replacement = world.replacement().await.expect("the replacement runs");
    let standby = connect(&world.direct(&replacement)).await.unwrap();
    let pause = "SELECT pg_wal_replay_pause()";
    standby.batch_execute(pause).await.unwrap();
    world.connect().await.batch_execute(FILL).await.unwrap();
    world.up.look_again().unwrap();
    let waits = async || {
        let line = running.heard().await?;
        (line.starts_with("check_again") && line.contains("catch up")).then_some(())
    };
    wait_for("a run that waits for it", SOON, waits).await;
    load::unharmed(&load, "a pause");
    let resume = "SELECT pg_wal_replay_resume()";
    standby.batch_execute(resume).await.unwrap();
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}
