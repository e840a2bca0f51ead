//! Client commands with what a person gets wrong, or tries.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;
use upkeep_testkit::releases_source::installed_dir;

use super::{REFUSED, listing, said};
use crate::left;
use crate::wait::wait_for;
use crate::world::{World, other};

const STANDARD: &str = "heroku-postgresql:standard-0";
const NO_APP_NAME: &str = "is not a name: use 3 to 63 lower-case letters, digits and dashes";
const NO_NAME: &str = "is not a name: use 1 to 63 lower-case letters, digits and dashes";
const NO_RELEASE_NAME: &str = "cannot name a release";

const NAMES: [&str; 8] = [
    "a\"b",
    "it's",
    "../etc",
    "-rf",
    "a\nb",
    "a\u{1b}[2Jb",
    " ",
    "a;b",
];

#[tokio::test]
async fn names_that_are_none_are_refused_everywhere() {
    let world = World::new().await;
    let before = listing(&world.up).await;
    let system = installed_dir("15");
    let system = system.as_str();
    for name in NAMES {
        let named = format!("--name={name}");
        for (args, sentence) in [
            (vec!["apps:create", "--", name], NO_APP_NAME),
            (
                vec!["addons:create", STANDARD, "-a", "shop", &named],
                NO_NAME,
            ),
            (
                vec!["releases:add", "--system", system, &named],
                NO_RELEASE_NAME,
            ),
            (
                vec!["data:maintenances:run", "--confirm=shop", "--", name],
                "there is no database",
            ),
            (
                vec!["addons:destroy", "--confirm=shop", "--", name],
                "there is no database",
            ),
            (vec!["releases:remove", "--", name], "no release"),
            (vec!["releases:info", "--", name], "no release"),
        ] {
            said(&world.up.attempt(&args).await.unwrap(), REFUSED, sentence);
        }
    }
    assert_eq!(listing(&world.up).await, before);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_named_with_a_way_out() {
    let world = World::new().await;
    let others = OtherVersions::new();
    for version in ["16.9", "15.10"] {
        let dir = others.make(version);
        let add = ["releases:add", "--system", dir.as_str(), "--name", version];
        world.up.run(&add).await.unwrap();
    }
    let before = listing(&world.up).await;
    let on_shop = ["addons:create", STANDARD, "-a", "shop"];
    let run = ["data:maintenances:run", "DATABASE", "-a", "shop"];
    let confirmed = [&run[..], &["--confirm", "shop"]].concat();
    for (args, sentence, hint) in [
        (
            vec!["config", "-a", "nobody"],
            "there is no app `nobody`",
            "upkeep apps",
        ),
        (
            vec!["apps:create", "shop"],
            "there is an app `shop` already",
            "choose another name",
        ),
        (
            vec!["addons:create", "heroku-postgresql:gold", "-a", "shop"],
            "there is no plan `heroku-postgresql:gold`",
            "standard-0",
        ),
        (
            vec!["addons:create", "mysql:tiny", "-a", "shop"],
            "there is no plan `mysql:tiny`",
            "standard-0",
        ),
        (
            [&on_shop[..], &["--release", "99.1"]].concat(),
            "no release `99.1` here",
            "15-a",
        ),
        (
            vec!["pg:info", "nothing", "-a", "shop"],
            "there is no database `nothing`",
            "upkeep addons",
        ),
        (run.to_vec(), "is not in maintenance mode", "--confirm shop"),
        (
            [&run[..], &["--confirm", "wrong"]].concat(),
            "confirmation `wrong` is not the name of the app",
            "it is `shop`",
        ),
        (
            vec!["addons:destroy", "DATABASE", "-a", "shop"],
            "loses everything",
            "--confirm shop",
        ),
        (
            vec!["addons:destroy", "DATABASE", "-a", "shop", "--confirm", "x"],
            "confirmation `x` is not the name of the app",
            "it is `shop`",
        ),
        (
            [&confirmed[..], &["--release", "99.1"]].concat(),
            "no release `99.1` here",
            "15-a",
        ),
        (
            [&confirmed[..], &["--release", "16.9"]].concat(),
            "cannot become 16.9 this way",
            "major version",
        ),
        (
            [&confirmed[..], &["--release", "15.10"]].concat(),
            "cannot become 15.10",
            "the minor is older",
        ),
        (confirmed.clone(), "nothing is due", "releases:add"),
        (
            [&confirmed[..], &["--method", "reboot"]].concat(),
            "there is no method `reboot`",
            "restart, changeover, failover",
        ),
        (
            [&confirmed[..], &["--method", "failover"]].concat(),
            "cannot fail over",
            "--method changeover",
        ),
        (
            [
                &confirmed[..],
                &["--method", "restart", "--release", "15.10"],
            ]
            .concat(),
            "cannot become 15.10",
            "the minor is older",
        ),
        (
            vec!["data:maintenances:wait", "DATABASE", "-a", "shop"],
            "isn't any maintenance in progress",
            "data:maintenances:history",
        ),
        (
            vec!["releases:add", "--system", "/", "--name", "x"],
            "there is no `bin/postgres` in `/`",
            "",
        ),
        (
            vec!["releases:add", "--file", "/etc/passwd", "--name", "x"],
            "no kind of archive",
            ".deb",
        ),
        (
            vec!["releases:remove", "15-a"],
            "release `15-a` is in use",
            "move its instances",
        ),
        (vec!["releases:add"], "required arguments", "--help"),
        (vec!["releases:remove", ""], "a value is required", "--help"),
        (vec!["config", "-a", ""], "a value is required", "--help"),
    ] {
        let ended = world.up.attempt(&args).await.unwrap();
        said(&ended, REFUSED, sentence);
        said(&ended, REFUSED, hint);
    }
    assert_eq!(listing(&world.up).await, before);
}

#[tokio::test]
async fn a_second_maintenance_is_refused_and_the_first_goes_on() {
    let world = World::new().await;
    let from = world.release().await;
    let mut first = world.begin().await;
    let begun = async || {
        first
            .heard()
            .await
            .filter(|line| line.starts_with("base_backup"))
    };
    wait_for("the first one at work", Duration::from_secs(20), begun).await;
    let second = [
        "data:maintenances:run",
        "DATABASE",
        "-a",
        "shop",
        "--confirm",
        "shop",
    ];
    let second = [&second[..], &["--release", other(&from)]].concat();
    let ended = world.up.attempt(&second).await.unwrap();
    said(&ended, REFUSED, "maintenance");
    said(&ended, REFUSED, "data:maintenances:wait");
    let destroy = [
        "addons:destroy",
        "DATABASE",
        "-a",
        "shop",
        "--confirm",
        "shop",
    ];
    let ended = world.up.attempt(&destroy).await.unwrap();
    said(&ended, REFUSED, "maintenance");
    assert_eq!(world.ending(first).await.outcome, "succeeded");
    left::nothing_but_the_primary(&world, other(&from)).await;
}

/// The installed programs behind a `postgres` that says another version, because other versions are
/// not on every machine: to refuse them, nothing else of them is needed.
struct OtherVersions(TempDir);

impl OtherVersions {
    fn new() -> Self {
        let readable = Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(readable).tempdir();
        Self(dir.unwrap())
    }

    fn make(&self, version: &str) -> Utf8PathBuf {
        let dir = Utf8Path::from_path(self.0.path()).unwrap().join(version);
        let (bin, installed) = (dir.join("bin"), installed_dir("15").join("bin"));
        fs::create_dir_all(&bin).unwrap();
        for entry in installed.read_dir_utf8().unwrap() {
            let program = entry.unwrap();
            symlink(program.path(), bin.join(program.file_name())).unwrap();
        }
        let server = bin.join("postgres");
        fs::remove_file(&server).unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in --version|-V) echo 'postgres (PostgreSQL) {version}';; \
             *) exec {installed}/postgres \"$@\";; esac\n"
        );
        fs::write(&server, script).unwrap();
        fs::set_permissions(&server, Permissions::from_mode(0o755)).unwrap();
        dir
    }
}
