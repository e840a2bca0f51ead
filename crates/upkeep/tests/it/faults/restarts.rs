//! Restarts that do not go as asked: the server does not come up, or somebody dies in the middle.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use upkeep_testkit::releases_source::installed_dir;
use upkeep_testkit::up::Role;

use crate::direct::{primary, show, superuser};
use crate::world::World;
use crate::{left, load};

/// A library as far as looks go.
fn unloadable(path: &Utf8Path) {
    replace(path, Utf8Path::new("/proc/self/exe"));
}

/// Under the same name: a server that has loaded the old one keeps it.
fn replace(path: &Utf8Path, with: &Utf8Path) {
    let new = path.with_extension("new");
    fs::copy(with, &new).unwrap();
    fs::set_permissions(&new, Permissions::from_mode(0o644)).unwrap();
    fs::rename(&new, path).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_server_that_does_not_come_up_runs_as_before_or_is_stuck_until_a_person_looked() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let release = world.release().await;
    let data = primary(&world).await.data_dir;
    let library = data.join("library.so");
    unloadable(&library);
    let set = format!("ALTER SYSTEM SET shared_preload_libraries = '{library}'");
    superuser(&world, &set).await;
    let ending = world.restart().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert!(ending.because.contains("library.so"), "{ending:?}");
    assert!(ending.because.contains("last good start"), "{ending:?}");
    assert_eq!(ending.run.settings_applied, []);
    assert_eq!(show(&world, "shared_preload_libraries").await, "");
    left::nothing_but_the_primary(&world, &release).await;

    let good = installed_dir("15").join("lib/auto_explain.so");
    replace(&library, &good);
    superuser(&world, &set).await;
    assert_eq!(world.restart().await.because, "");
    // What was good at the last start is not any more.
    unloadable(&library);
    let ended = world.begin_restart().ended().await.unwrap();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("neither as it was to"), "{ended:?}");
    // Before the hard limit of the hold, so that nobody has to connect again.
    replace(&library, &good);
    let ending = world.restart().await;
    assert_eq!(
        (ending.outcome.as_str(), ending.because.as_str()),
        ("succeeded", "")
    );
    left::nothing_but_the_primary(&world, &release).await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_whoever_dies_in_the_middle_of_a_restart_comes_back_and_sessions_go_on() {
    let world = World::new().await;
    let load = load::start_synchronous(&world).await;
    let release = world.release().await;
    for (step, boundary, agent_dies) in [
        ("seal", "after_commit", true),
        // It has done it, and nobody has heard of it: its journal on disk answers.
        ("stop", "after_effect", true),
        ("start", "after_effect", true),
        ("seal", "after_commit", false),
        ("start", "after_commit", false),
    ] {
        let running = world.begin_restart_and_stop_at(step, boundary).await;
        if agent_dies {
            world.up.crash(Role::Agent).unwrap();
        } else {
            world.up.crash_instance(primary(&world).await.pid).unwrap();
        }
        world.up.look_again().unwrap();
        let ending = world.ending(running).await;
        assert_eq!(ending.outcome, "succeeded", "{step}: {ending:?}");
        left::nothing_but_the_primary(&world, &release).await;
        load::unharmed(&load, &format!("{step}, agent: {agent_dies}"));
    }
    load::promise_held(load).await;
}
