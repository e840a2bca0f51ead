//! The witness that there is one writer.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;
use upkeep_testkit::observer::{self, Observer, Server};
use upkeep_testkit::postgres::ThrowAway;

use crate::server;

fn named(name: &str, server: &ThrowAway) -> Server {
    Server {
        name: name.to_owned(),
        connection: server.direct("postgres"),
    }
}

async fn rows(server: &ThrowAway) -> i64 {
    let connected = server
        .direct("postgres")
        .connect(tokio_postgres::NoTls)
        .await;
    let (client, connection) = connected.expect("the server accepts connections");
    tokio::spawn(connection);
    let count = client
        .query_one_scalar("SELECT count(*) FROM observer", &[])
        .await;
    count.expect("the observer's rows can be counted")
}

async fn wait_for_rows(server: &ThrowAway, wanted: i64) {
    for _ in 0..500 {
        if rows(server).await >= wanted {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain for {wanted} rows of the observer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_that_both_accept_writes_are_noticed() {
    let (a, b) = tokio::join!(server(&[]), server(&[]));
    for server in [&a, &b] {
        observer::prepare(&server.direct("postgres"))
            .await
            .expect("the table is made");
    }
    let observer = Observer::start();
    observer.watch(vec![named("a", &a), named("b", &b)]);
    wait_for_rows(&a, 5).await;
    wait_for_rows(&b, 5).await;
    let sightings = observer.stop().await.expect("the observer observed");
    assert_eq!(sightings.reigns.len(), 2);
    assert_eq!(sightings.overlaps().len(), 1, "{sightings:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_and_one_that_vanishes_do_not_stop_the_observer() {
    let (frozen, vanishing, lasting) = tokio::join!(
        server(&[]),
        server(&[]),
        server(&[("default_transaction_read_only", "on")])
    );
    for server in [&frozen, &vanishing] {
        observer::prepare(&server.direct("postgres"))
            .await
            .expect("the table is made");
    }
    let mut writable = lasting.direct("postgres");
    writable.options("-c default_transaction_read_only=off");
    observer::prepare(&writable)
        .await
        .expect("the table is made");
    let observer = Observer::start();
    observer.watch(vec![
        named("frozen", &frozen),
        named("vanishing", &vanishing),
    ]);
    wait_for_rows(&frozen, 3).await;
    let stopped = freeze(&frozen).await;
    drop(vanishing);
    observer.watch(vec![named("frozen", &frozen), named("lasting", &lasting)]);
    // Longer than the observer's own deadline, so that a write on the frozen server runs into it.
    sleep(Duration::from_millis(600)).await;
    let sightings = observer.stop().await.expect("the observer observed");
    kill(stopped, Signal::SIGCONT).expect("the process is ours to continue");
    assert!(sightings.unknown > 0, "{sightings:#?}");
    assert!(sightings.read_only > 5, "{sightings:#?}");
    assert!(
        sightings
            .reigns
            .iter()
            .all(|reign| reign.server != "lasting")
    );
    assert!(sightings.reigns.iter().all(|reign| reign.timeline == 1));
}

/// Stops the process that serves the observer, and the postmaster, so that nobody answers.
async fn freeze(server: &ThrowAway) -> Pid {
    let connected = server
        .direct("postgres")
        .connect(tokio_postgres::NoTls)
        .await;
    let (client, connection) = connected.expect("the server accepts connections");
    tokio::spawn(connection);
    let pid = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%INSERT INTO observer%'
               AND pid <> pg_backend_pid()";
    let pid: i32 = client
        .query_one_scalar(pid, &[])
        .await
        .expect("the observer is connected");
    let serving = Pid::from_raw(pid);
    for pid in [serving, server.pid()] {
        kill(pid, Signal::SIGSTOP).expect("the process is ours to stop");
    }
    serving
}
