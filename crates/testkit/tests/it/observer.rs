//! The witness that there is one writer.

use std::time::Duration;

use camino::Utf8Path;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;
use upkeep_testkit::observer::{self, Observer, Server};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::wait::wait_until;

use crate::{BIN_DIR, PATIENCE, backend_of, run_as_superuser, server};

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
    let enough = async || rows(server).await >= wanted;
    wait_until(&format!("{wanted} rows of the observer"), PATIENCE, enough).await;
}

async fn primary_and_standby() -> (ThrowAway, ThrowAway) {
    let primary = server(&[]).await;
    observer::prepare(&primary.direct("postgres"))
        .await
        .expect("the table is made");
    let standby = primary
        .standby(Utf8Path::new(BIN_DIR), &[("fsync", "off")])
        .await;
    (primary, standby.expect("a standby starts"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_after_the_primary_is_gone_is_no_overlap() {
    let (old, new) = primary_and_standby().await;
    let observer = Observer::start();
    observer.watch(vec![named("old", &old), named("new", &new)]);
    // The rows arrive on the standby: the primary accepts, the standby refuses and follows.
    wait_for_rows(&new, 10).await;
    drop(old);
    run_as_superuser(&new, "SELECT pg_promote()").await;
    let before = rows(&new).await;
    wait_for_rows(&new, before + 5).await;
    let sightings = observer.stop().await.expect("the observer observed");
    let reigns: Vec<_> = sightings
        .reigns
        .iter()
        .map(|reign| (&*reign.server, reign.timeline))
        .collect();
    assert_eq!(reigns, [("old", 1), ("new", 2)]);
    assert!(
        sightings.read_only > 5 && sightings.unreachable > 0,
        "{sightings:#?}"
    );
    assert_eq!(sightings.overlaps(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_beside_a_living_primary_is_an_overlap() {
    let (old, new) = primary_and_standby().await;
    let observer = Observer::start();
    observer.watch(vec![named("old", &old), named("new", &new)]);
    wait_for_rows(&new, 5).await;
    run_as_superuser(&new, "SELECT pg_promote()").await;
    for server in [&old, &new] {
        let before = rows(server).await;
        wait_for_rows(server, before + 5).await;
    }
    let sightings = observer.stop().await.expect("the observer observed");
    assert_eq!(sightings.reigns.len(), 2, "{sightings:#?}");
    let overlaps = sightings.overlaps();
    assert_eq!(overlaps.len(), 1, "{sightings:#?}");
    assert_eq!(
        (&*overlaps[0].earlier.server, &*overlaps[0].later.server),
        ("old", "new")
    );
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
    // A write on the frozen server runs into the observer's own deadline.
    for _ in 0..500 {
        let sightings = observer.so_far();
        if sightings.unknown > 0 && sightings.read_only > 5 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
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
    let serving = backend_of(server, "%INSERT INTO observer%").await;
    for pid in [serving, server.pid()] {
        kill(pid, Signal::SIGSTOP).expect("the process is ours to stop");
    }
    serving
}
