//! The load that looks on, and its verdict.

use std::time::Duration;

use upkeep_testkit::load::{Config, Load, pgbench};

use crate::wait::wait_until;
use crate::world::World;

const CONNECTED_WITHIN: Duration = Duration::from_secs(30);

/// Small, because two cores run the product, up to three PostgreSQL servers and this.
fn config() -> Config {
    Config {
        writers: 2,
        writer_rate: Some(50.0),
        ledger_clients: 2,
        ledger_rate: 250.0,
        idle_sessions: 4,
        // Longer than anybody is held: whoever is closed then hears it from the endpoint.
        statement_deadline: Duration::from_secs(40),
        ..Config::default()
    }
}

/// Fills the database and starts the load; all its clients are connected when this returns.
pub(crate) async fn start(world: &World) -> Load {
    start_as(config(), world).await
}

/// For tests that kill the primary: without commits that PostgreSQL does not promise over a crash.
pub(crate) async fn start_synchronous(world: &World) -> Load {
    let config = Config {
        asynchronous: false,
        ..config()
    };
    start_as(config, world).await
}

async fn start_as(config: Config, world: &World) -> Load {
    pgbench::fill(&world.url, 1, |_| {}).await.unwrap();
    let load = Load::start(config, &world.url).await.unwrap();
    wait_until("all clients connected", CONNECTED_WITHIN, async || {
        load.all_connected() && load.snapshot().commits_acknowledged > 0
    })
    .await;
    load
}

/// Up to now nobody has felt anything but waiting.
pub(crate) fn unharmed(load: &Load, after: &str) {
    let now = load.snapshot();
    let counted = (
        now.statements_failed,
        now.connections_dropped,
        now.connections_refused,
    );
    assert_eq!(counted, (0, 0, 0), "after {after}: {:#?}", now.failures);
}

/// The whole promise: nothing failed, nothing was dropped, nothing is lost.
pub(crate) async fn promise_held(load: Load) {
    let report = load.stop().await;
    eprintln!(
        "load: {} commits acknowledged, {} lost; longest write gap {:.0} ms",
        report.commits_acknowledged, report.commits_lost, report.longest_write_gap_ms
    );
    assert!(
        report.promise_held(),
        "{:#?} {:#?}",
        report.broken(),
        report.failures
    );
}

/// The lesser promise, where connections had to break: nothing that was acknowledged is lost, and
/// nothing is stored twice or unasked.
pub(crate) async fn nothing_lost(load: Load) {
    let report = load.stop().await;
    let tpcb = report.tpcb.expect("there were TPC-B writers");
    assert_eq!(report.audit_failed, None);
    assert_eq!(
        (report.commits_lost, report.commits_unexpected, tpcb.lost),
        (0, 0, 0)
    );
    assert!(tpcb.sums_agree && report.commits_acknowledged > 0);
}
