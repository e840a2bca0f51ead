//! All of it without any privilege: nothing of Upkeep needs root, and nothing of what a plain user
//! runs belongs to somebody else.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use nix::unistd::{Uid, User, geteuid};
use upkeep_testkit::releases_source::{self, Place};
use upkeep_testkit::up::{self, Options, Up};

use crate::left;
use crate::world::{World, options, other};

/// Every machine has this user, who owns nothing.
const NOBODY: &str = "nobody";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_user_runs_all_of_it() {
    let options = plain();
    let uid = options
        .as_user
        .as_ref()
        .map_or_else(geteuid, |user| user.uid);
    let world = World::with(options).await;
    let archive = archive_within(world.up.dir());
    let add = [
        "releases:add",
        "--file",
        archive.as_str(),
        "--name",
        "older",
    ];
    world.up.run(&add).await.unwrap();
    let client = world.connect().await;
    let rows = "CREATE TABLE kept AS SELECT 1 AS one";
    client.batch_execute(rows).await.unwrap();
    let from = world.release().await;
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    left::nothing_but_the_primary(&world, other(&from)).await;
    let kept = client.query("SELECT one FROM kept", &[]).await;
    assert_eq!(kept.unwrap().len(), 1, "the session was carried over");
    for instance in world.up.instances() {
        let process = fs::metadata(format!("/proc/{}", instance.pid)).unwrap();
        assert_eq!(process.uid(), uid.as_raw(), "{instance:?}");
    }
    assert_eq!(strangers(&world, uid), Vec::<Utf8PathBuf>::new());
    world.up.run(&["releases:remove", "older"]).await.unwrap();
    let destroy = ["addons:destroy", &world.database, "--confirm", "shop"];
    world.up.run(&destroy).await.unwrap();
}

#[tokio::test]
async fn a_plain_user_cannot_run_instances_as_somebody_else() {
    let options = Options {
        run_as: Some("daemon".to_owned()),
        ..plain()
    };
    let refused = Up::start(up::make_dir().unwrap(), options).await.err();
    let log = refused.expect("it does not run").to_string();
    let sentence = "only root can run instances as the user `daemon`";
    assert!(log.contains(sentence), "{log}");
}

/// Run by us, or, if we are root, by a user who is nobody.
fn plain() -> Options {
    let nobody = || User::from_name(NOBODY).unwrap().expect("there is nobody");
    Options {
        as_user: geteuid().is_root().then(nobody),
        ..options()
    }
}

/// The release that is not installed, where a user can read it who may not look into the checkout.
fn archive_within(dir: &Utf8Path) -> Utf8PathBuf {
    let place = ["15.18", "15.20"]
        .into_iter()
        .filter_map(|version| releases_source::find(version).ok())
        .find_map(|source| match source.place {
            Place::Archive(file) => Some(file),
            Place::Installed(_) => None,
        });
    let file = place.expect("`cargo xtask setup` has brought a release as an archive");
    let copy = dir.join(file.file_name().unwrap());
    fs::copy(&file, &copy).unwrap();
    fs::set_permissions(&copy, Permissions::from_mode(0o644)).unwrap();
    copy
}

/// What Upkeep has made and what does not belong to `uid`.
fn strangers(world: &World, uid: Uid) -> Vec<Utf8PathBuf> {
    let names = [
        "agent",
        "control",
        "endpoint",
        "log",
        "run",
        "config.toml",
        "token",
    ];
    let mut unseen: Vec<_> = names.map(|name| world.up.dir().join(name)).into();
    let mut strangers = Vec::new();
    while let Some(path) = unseen.pop() {
        // Servers are at work there: what is gone is nobody's.
        let Ok(found) = path.symlink_metadata() else {
            continue;
        };
        if found.is_dir() {
            let inside = path.read_dir_utf8().unwrap();
            unseen.extend(inside.map(|entry| entry.unwrap().into_path()));
        }
        if found.uid() != uid.as_raw() {
            strangers.push(path);
        }
    }
    strangers
}
