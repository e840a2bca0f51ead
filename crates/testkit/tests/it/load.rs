//! The load and its verdict.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use upkeep_testkit::load::{Config, Load, pgbench};

use crate::{backend_of, run_as_superuser, server, wait_until};

/// Everything, but little of it.
fn small() -> Config {
    Config {
        writers: 2,
        idle_sessions: 5,
        ..Config::default()
    }
}

/// Ledger clients alone, slow enough that their rows can be told apart.
fn ledger_only() -> Config {
    Config {
        writers: 0,
        ledger_rate: 200.0,
        special: false,
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_left_in_peace_holds_the_promise() {
    let server = server(&[]).await;
    let url = server.url("postgres");
    let mut rows = Vec::new();
    pgbench::fill(&url, 1, |progress| rows.push(progress.rows))
        .await
        .expect("tables are filled");
    assert_eq!((rows.first(), rows.last()), (Some(&2_000), Some(&100_000)));
    assert!(pgbench::size_bytes(&url).await.expect("the size is known") > 12_000_000);
    let paper = tempfile::NamedTempFile::new().expect("a file for the acknowledged writes");
    let path = camino::Utf8PathBuf::from_path_buf(paper.path().to_owned()).expect("an ASCII path");

    let config = Config {
        ledger_file: Some(path),
        ..small()
    };
    let load = Load::start(config, &url).await.expect("the load starts");
    wait_until("all clients are connected", || load.all_connected()).await;
    load.measure_gaps_from_now();
    let connected_ms = load.snapshot().elapsed_ms;
    wait_until("two more seconds of load have passed", || {
        load.snapshot().elapsed_ms > connected_ms + 2_000
    })
    .await;
    let report = load.stop().await;

    let json = serde_json::to_string_pretty(&report).expect("a report is JSON");
    println!("{json}");
    assert_eq!(report.broken(), Vec::<String>::new());
    assert!(report.promise_held());
    assert_eq!(report.commits_found, report.commits_acknowledged);
    assert!(report.commits_acknowledged > 200, "{json}");
    assert_eq!(report.special.len(), 10, "{json}");
    assert_eq!(report.gaps.len(), 5);
    let tpcb = report.tpcb.as_ref().expect("there were writers");
    assert!(
        tpcb.transactions > 50 && tpcb.sums_agree && tpcb.lost == 0,
        "{json}"
    );
    let heard = report.notifications.expect("there was a listener");
    assert!(heard.sent > 50 && heard.received >= heard.sent, "{json}");
    let lines = std::fs::read_to_string(paper.path()).expect("the file can be read");
    assert_eq!(lines.lines().count() as u64, report.commits_acknowledged);
    assert_eq!(
        serde_json::from_str::<upkeep_testkit::load::Report>(&json).ok(),
        Some(report)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_session_breaks_the_promise_and_loses_nothing() {
    let server = server(&[]).await;
    let load = Load::start(ledger_only(), &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("the ledger fills", || {
        load.snapshot().commits_acknowledged > 50
    })
    .await;
    run_as_superuser(
        &server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE query LIKE 'INSERT INTO ledger%' LIMIT 1",
    )
    .await;
    wait_until("the drop is noticed", || {
        load.snapshot().connections_dropped > 0
    })
    .await;
    let before = load.snapshot().commits_acknowledged;
    wait_until("the ledger fills again", || {
        load.snapshot().commits_acknowledged > before + 50 && load.snapshot().sessions_open == 2
    })
    .await;
    let report = load.stop().await;
    assert_eq!(report.connections_dropped, 1, "{report:#?}");
    assert!(report.statements_failed <= 1, "{report:#?}");
    assert!(
        report
            .failures
            .iter()
            .any(|failure| failure.sqlstate.as_deref() == Some("57P01"))
    );
    assert_eq!(report.commits_lost, 0);
    assert!(!report.promise_held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_special_session_has_not_kept_its_state() {
    let server = server(&[]).await;
    let config = Config {
        writers: 0,
        ledger_clients: 1,
        idle_sessions: 3,
        ..Config::default()
    };
    let load = Load::start(config, &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("all clients are connected", || load.all_connected()).await;
    wait_until("the listener listens", || {
        load.snapshot().notifications_received > 5
    })
    .await;
    run_as_superuser(
        &server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'",
    )
    .await;
    wait_until("the drop is noticed", || {
        load.snapshot().connections_dropped > 0
    })
    .await;
    let sent = load.snapshot().notifications_sent;
    wait_until("more is sent", || {
        load.snapshot().notifications_sent > sent + 5
    })
    .await;
    let report = load.stop().await;
    let lost: Vec<_> = report
        .special
        .iter()
        .filter(|session| !session.kept)
        .collect();
    assert_eq!(lost.len(), 1, "{report:#?}");
    assert_eq!(lost[0].name, "listener");
    assert!(
        report.notifications.is_some_and(|heard| heard.missing >= 5),
        "{report:#?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_deleted_behind_the_loads_back_are_lost_commits() {
    let server = server(&[]).await;
    let load = Load::start(ledger_only(), &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("the ledger fills", || {
        load.snapshot().commits_acknowledged > 50
    })
    .await;
    run_as_superuser(
        &server,
        "DELETE FROM ledger WHERE id IN (3, 4);
         INSERT INTO ledger SELECT min(client), 1000000, now() FROM ledger",
    )
    .await;
    let report = load.stop().await;
    assert_eq!(
        report.commits_lost, 4,
        "two ids of each of two clients: {report:#?}"
    );
    assert_eq!(report.commits_unexpected, 1, "{report:#?}");
    assert_eq!(report.commits_found + 4, report.commits_acknowledged);
    assert!(!report.promise_held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_refuses_writes_makes_statements_fail() {
    let server = server(&[]).await;
    let load = Load::start(ledger_only(), &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("the ledger fills", || {
        load.snapshot().commits_acknowledged > 50
    })
    .await;
    run_as_superuser(
        &server,
        "ALTER SYSTEM SET default_transaction_read_only = on",
    )
    .await;
    run_as_superuser(&server, "SELECT pg_reload_conf()").await;
    wait_until("statements fail", || load.snapshot().statements_failed > 3).await;
    wait_until("the silence lasts", || {
        load.snapshot().current_write_gap_ms > 200.0
    })
    .await;
    let report = load.stop().await;
    assert_eq!(
        report.failures[0].sqlstate.as_deref(),
        Some("25006"),
        "{report:#?}"
    );
    assert_eq!(report.connections_dropped, 0);
    assert_eq!(
        report.commits_unknown, 0,
        "a refused write is surely without effect"
    );
    assert!(
        report.longest_write_gap_ms > 200.0,
        "a gap open at the end counts: {report:#?}"
    );
    assert!(!report.promise_held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_leaves_a_report_that_says_so() {
    let server = server(&[]).await;
    let config = Config {
        statement_deadline: Duration::from_secs(1),
        ..ledger_only()
    };
    let load = Load::start(config, &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("the ledger fills", || {
        load.snapshot().commits_acknowledged > 50
    })
    .await;
    drop(server);
    wait_until("reconnecting fails", || {
        load.snapshot().connections_refused > 3
    })
    .await;
    let report = load.stop().await;
    assert_eq!(report.connections_dropped, 2, "{report:#?}");
    assert!(report.audit_failed.is_some());
    assert!(!report.promise_held());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_an_answer_is_of_unknown_outcome_and_never_a_lost_one() {
    let server = server(&[]).await;
    let config = Config {
        statement_deadline: Duration::from_millis(500),
        ..ledger_only()
    };
    let load = Load::start(config, &server.url("postgres"))
        .await
        .expect("the load starts");
    wait_until("the ledger fills", || {
        load.snapshot().commits_acknowledged > 50
    })
    .await;
    let frozen = backend_of(&server, "INSERT INTO ledger%").await;
    kill(frozen, Signal::SIGSTOP).expect("the backend is ours to stop");
    wait_until("the client gives up", || {
        load.snapshot().statements_failed > 0
    })
    .await;
    kill(frozen, Signal::SIGCONT).expect("the backend is ours to continue");
    let report = load.stop().await;
    assert_eq!(report.commits_unknown, 1, "{report:#?}");
    assert_eq!(
        report.commits_lost + report.commits_unexpected,
        0,
        "{report:#?}"
    );
    assert!(report.longest_write_gap_ms > 500.0, "{report:#?}");
    assert_eq!(report.failures[0].message, "no answer within 500 ms");
    assert!(!report.promise_held());
}
