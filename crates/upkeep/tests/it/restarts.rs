//! Restarts of a real server with real clients on it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::direct::{primary, show, superuser};
use crate::world::{World, other};
use crate::{left, load};

fn append(path: &Utf8Path, line: &str) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_restart_applies_what_waited_on_a_newer_build_and_sessions_stay_what_they_are() {
    let world = World::new().await;
    let load = load::start(&world).await;
    superuser(&world, "ALTER SYSTEM SET max_locks_per_transaction = 77").await;
    let session = world.connect().await;
    let statement = session.prepare("SELECT current_setting('app.mine')").await;
    let statement = statement.unwrap();
    session
        .batch_execute("SET app.mine = 'kept'")
        .await
        .unwrap();
    session
        .batch_execute("SELECT pg_advisory_lock(42)")
        .await
        .unwrap();
    let config: tokio_postgres::Config = world.url.parse().unwrap();
    let (temporary, connection) = config.connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let table = "CREATE TEMPORARY TABLE mine(what text)";
    temporary.batch_execute(table).await.unwrap();

    let to = other(&world.release().await);
    let running = world.begin_as(&["--method", "restart", "--release", to]);
    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    assert_eq!(ending.run.method.as_deref(), Some("restart"));
    let because = ending.run.method_because.expect("it is explained");
    assert!(because.contains("it was asked for"), "{because}");
    let [applied] = ending.run.settings_applied.as_slice() else {
        panic!("one setting waited: {:?}", ending.run.settings_applied);
    };
    assert_eq!(
        (
            applied.name.as_str(),
            applied.before.as_str(),
            applied.after.as_str()
        ),
        ("max_locks_per_transaction", "64", "77")
    );
    assert_eq!(show(&world, "max_locks_per_transaction").await, "77");
    left::nothing_but_the_primary(&world, to).await;

    let row = session.query_one(&statement, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "kept");
    let free = "SELECT pg_try_advisory_lock(42)";
    let rival = world.connect().await.query_one(free, &[]).await.unwrap();
    assert!(!rival.get::<_, bool>(0), "the lock is still the session's");
    let last_word = connection.await.unwrap().unwrap_err();
    assert_eq!(last_word.code(), Some(&SqlState::ADMIN_SHUTDOWN));
    let felt = ending.run.felt.expect("the endpoint was there");
    let closed: Vec<_> = felt.sessions_closed.into_iter().collect();
    assert_eq!(closed, [("temporary objects".to_owned(), 1)]);
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_what_would_not_start_is_refused_before_anything_is_stopped() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let before = primary(&world).await;
    let data = &before.data_dir;
    let conf = data.join("postgresql.conf");
    let auto = data.join("postgresql.auto.conf");
    let hba = data.with_file_name("conf").join("pg_hba.conf");
    let cases: [(&Utf8PathBuf, &str, &str); 4] = [
        (&conf, "work_mem = lots", "setting work_mem in"),
        (&auto, "wal_level = minimal", "setting wal_level in"),
        (
            &auto,
            "shared_preload_libraries = 'nowhere'",
            "the library `nowhere` is not there",
        ),
        (&hba, "host all all nonsense", "pg_hba.conf line"),
    ];
    for (file, line, words) in cases {
        let good = fs::read(file).unwrap();
        append(file, line);
        let ending = world.restart().await;
        assert_eq!(ending.outcome, "rolled_back", "{line}: {ending:?}");
        assert!(ending.because.contains(words), "{line}: {ending:?}");
        assert!(ending.because.contains(file.as_str()), "{line}: {ending:?}");
        fs::write(file, good).unwrap();
        assert_eq!(primary(&world).await, before, "it was not stopped");
        load::unharmed(&load, line);
    }
    load::promise_held(load).await;
}
