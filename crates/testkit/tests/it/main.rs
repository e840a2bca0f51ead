//! The testkit judged on a real server: the load holds its peace when all is well, and notices
//! every kind of trouble it is there for.

mod conformance;
mod load;
mod observer;

use std::time::Duration;

use camino::Utf8Path;
use nix::unistd::Pid;
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::wait;

const BIN_DIR: &str = "/usr/lib/postgresql/15/bin";

async fn server(settings: &[(&str, &str)]) -> ThrowAway {
    let settings = [&[("fsync", "off")], settings].concat();
    ThrowAway::start(Utf8Path::new(BIN_DIR), &settings)
        .await
        .expect("a throw-away server starts")
}

const PATIENCE: Duration = Duration::from_secs(10);

async fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    wait::wait_until(what, PATIENCE, async || reached()).await;
}

/// Runs statements as a superuser, past any load.
async fn run_as_superuser(server: &ThrowAway, sql: &str) {
    let connected = server
        .direct("postgres")
        .connect(tokio_postgres::NoTls)
        .await;
    let (client, connection) = connected.expect("the server accepts connections");
    let driver = tokio::spawn(connection);
    client
        .batch_execute(sql)
        .await
        .expect("the statements succeed");
    drop(client);
    driver
        .await
        .expect("the connection's task ends")
        .expect("the connection ends well");
}

/// The process that serves the session whose last statement is like `pattern`.
async fn backend_of(server: &ThrowAway, pattern: &str) -> Pid {
    let connected = server
        .direct("postgres")
        .connect(tokio_postgres::NoTls)
        .await;
    let (client, connection) = connected.expect("the server accepts connections");
    tokio::spawn(connection);
    let pid = "SELECT pid FROM pg_stat_activity
               WHERE query LIKE $1 AND pid <> pg_backend_pid() LIMIT 1";
    let pid = client.query_one_scalar(pid, &[&pattern]).await;
    Pid::from_raw(pid.expect("there is such a session"))
}
