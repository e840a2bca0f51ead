//! The product's own state in a PostgreSQL that somebody else keeps: all works as ever, and what
//! opens it is told to nobody.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::releases_source::installed_dir;
use upkeep_testkit::up::{self, Options, Role, Up};

use crate::books::Books;
use crate::left;
use crate::world::{World, connect, options, other};

/// No piece of it stands anywhere by chance.
const SECRET: &str = "zanzibar";
/// As it has to be written in a URL: `zanzibar/1@%`.
const PASSWORD: &str = "zanzibar%2F1%40%25";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_may_be_kept_in_another_postgresql() {
    let keeper = Keeper::start().await;
    let options = Options {
        state_url: Some(keeper.url("keeper", PASSWORD, "state")),
        ..options()
    };
    let mut world = World::with(options).await;
    assert_eq!(Books::instance(&world.up), None, "there is no other state");
    let from = world.release().await;
    world
        .up
        .arm_crash("changeover", "promote", "after_effect")
        .unwrap();
    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert!(!world.up.crash_is_armed());
    left::nothing_but_the_primary(&world, other(&from)).await;
    assert!(says_secret(&process(&world.up, Role::Server, "environ")));
    for role in [Role::Agent, Role::Endpoint] {
        assert!(!says_secret(&process(&world.up, role, "environ")));
    }
    for role in [Role::Server, Role::Agent, Role::Endpoint] {
        assert!(!says_secret(&process(&world.up, role, "cmdline")));
    }
    assert_eq!(files_with_secret(world.up.dir()), Vec::<Utf8PathBuf>::new());

    world.up.crash_everything().await.unwrap();
    let anywhere = ["--listen=127.0.0.1:0", "--endpoint-listen=127.0.0.1:0"];
    let up = [&["up"][..], &anywhere].concat();
    let ended = world.up.attempt(&up).await.unwrap();
    let sentence = "has its state in the PostgreSQL that `UPKEEP_STATE_URL` named";
    assert!(
        ended.code == Some(2) && ended.stderr.contains(sentence),
        "{ended:?}"
    );
    world.up.start_again().await.unwrap();
    assert_eq!(world.latest().await.outcome, "succeeded");
}

#[tokio::test]
async fn a_state_that_cannot_be_used_is_named_and_its_secret_is_not() {
    let keeper = Keeper::start().await;
    let port = format!("postgres://keeper@localhost:{SECRET}/state");
    let option = format!("postgres://keeper@localhost/state?{SECRET}=1");
    let not_named = "`UPKEEP_STATE_URL` does not name a PostgreSQL";
    let not_reached = "connect to the PostgreSQL that `UPKEEP_STATE_URL` names";
    let nobody = format!("postgres://keeper:{PASSWORD}@127.0.0.1:1/state");
    let unquoted = format!("host=localhost user=keeper password=a {SECRET}=1");
    for (url, sentences) in [
        (String::new(), [not_named, "postgres://role:password@"]),
        (port, [not_named, "%-codes"]),
        (option, [not_named, "%-codes"]),
        (unquoted, [not_named, "%-codes"]),
        (nobody, [not_reached, "Connection refused"]),
        (
            keeper.url("keeper", SECRET, "state"),
            [not_reached, "password authentication failed"],
        ),
        (
            keeper.url("keeper", PASSWORD, "nothing"),
            [not_reached, "database \"nothing\" does not exist"],
        ),
        (
            keeper.url("keeper", PASSWORD, "postgres"),
            [
                "the server ended at once: open our own state",
                "permission denied for database postgres",
            ],
        ),
    ] {
        let options = Options {
            state_url: Some(url.clone()),
            ..options()
        };
        let refused = Up::start(up::make_dir().unwrap(), options).await.err();
        let log = refused.expect("it does not run").to_string();
        for sentence in sentences {
            assert!(log.contains(sentence), "{url}: {log}");
        }
        assert!(!says_secret(log.as_bytes()), "{url}: {log}");
    }
}

/// Somebody else's server, with a database and a role for our state that is no superuser.
struct Keeper(ThrowAway);

impl Keeper {
    async fn start() -> Self {
        let bin_dir = installed_dir("15").join("bin");
        let server = ThrowAway::start(&bin_dir, &[]).await.unwrap();
        let client = connect(&server.direct("postgres")).await.unwrap();
        for sql in [
            "CREATE ROLE keeper LOGIN PASSWORD 'zanzibar/1@%'",
            "CREATE DATABASE state OWNER keeper",
        ] {
            client.batch_execute(sql).await.unwrap();
        }
        Self(server)
    }

    fn url(&self, role: &str, password: &str, dbname: &str) -> String {
        let port = self.0.port();
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{dbname}")
    }
}

fn process(up: &Up, role: Role, file: &str) -> Vec<u8> {
    fs::read(format!("/proc/{}/{file}", up.pid(role).unwrap())).unwrap()
}

fn says_secret(bytes: &[u8]) -> bool {
    let secret = SECRET.as_bytes();
    bytes.windows(secret.len()).any(|window| window == secret)
}

fn files_with_secret(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in dir.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        // Data directories hold what applications say; nothing of ours is told there.
        if path.is_dir() && !path.ends_with("data") {
            found.extend(files_with_secret(&path));
        } else if fs::read(&path).is_ok_and(|bytes| says_secret(&bytes)) {
            found.push(path);
        }
    }
    found
}
