//! One look of planning over a large fleet, beside the time that reading its rows takes: real rows in a real state
//! database, simulated hosts. `cargo xtask bench plan` runs it.
//!
//! Takes the number of databases from `UPKEEP_BENCH_DATABASES`; prints one JSON object.

#[path = "../tests/it/world.rs"]
mod world;

use std::env;
use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::json;
use tokio_postgres::{Client, NoTls};
use upkeep_domain::hold::HoldLimits;
use upkeep_engine::{Engine, Unwatched};
use upkeep_store::{DatabaseState, Store};
use upkeep_testkit::postgres::ThrowAway;
use upkeep_testkit::sim::Sim;
use upkeep_testkit::wait::wait_for;

use world::{FIRST, create_database};

const BIN_DIR: &str = "/usr/lib/postgresql/15/bin";
const RELEASES: [&str; 2] = [FIRST, "15.20-b"];
const SWEEPS: usize = 5;
const PROVISIONED_WITHIN: Duration = Duration::from_secs(60);

/// All like the first one, with three earlier runs each; three of five run on the newest release.
const MULTIPLY: &str = "
    CREATE TEMP TABLE n AS
    SELECT n, md5('d' || n)::uuid AS database, md5('i' || n)::uuid AS instance FROM generate_series(1, $count) n;
    INSERT INTO upkeep.databases
    SELECT r.* FROM upkeep.databases d, n, LATERAL jsonb_populate_record(d, jsonb_build_object(
        'id', database, 'name', 'database-' || n, 'dbname', 'database' || n, 'primary_instance', instance)) r;
    INSERT INTO upkeep.instances
    SELECT r.* FROM upkeep.instances i, n, LATERAL jsonb_populate_record(i, jsonb_build_object(
        'id', instance, 'database_id', database,
        'release', CASE WHEN n % 5 < 3 THEN '15.20-b' ELSE '15.18-a' END)) r;
    INSERT INTO upkeep.attachments
    SELECT r.* FROM upkeep.attachments t, n, LATERAL jsonb_populate_record(t, jsonb_build_object(
        'id', gen_random_uuid(), 'database_id', database, 'name', 'DATABASE_' || n)) r;
    INSERT INTO upkeep.maintenances
        (id, database_id, status, method, reason, release_before, release_after, outcome, steps_ms, scheduled_for,
         started_at, completed_at)
    SELECT gen_random_uuid(), database, 'completed', 'changeover', 'security_release', '15.17-z', '15.18-a', 'succeeded',
           '{\"base_backup\": 60000, \"hold\": 20, \"promote\": 40}', at, at, at + interval '2 minutes'
    FROM n, generate_series(1, 3) k, LATERAL (SELECT now() - k * interval '20 days' AS at) t;
    ANALYZE";

#[tokio::main(worker_threads = 2)]
async fn main() {
    let databases: u64 = env::var("UPKEEP_BENCH_DATABASES")
        .map_or(Ok(100_000), |said| said.parse())
        .expect("a number of databases");
    let server = ThrowAway::start(Utf8Path::new(BIN_DIR), &[("fsync", "off")])
        .await
        .expect("a throw-away server starts");
    let config = server.direct("postgres");
    let store = Arc::new(Store::open(config.clone()).await.expect("the store opens"));
    let sim = Arc::new(Sim::new(&RELEASES));
    let limits = HoldLimits {
        drain_ms: 2_000,
        lease_ms: 30_000,
        hard_ms: 60_000,
    };
    let world = world::world(
        &sim,
        Arc::new(Unwatched),
        limits,
        Duration::from_secs(3_600),
    );
    let engine = Engine::new(Arc::clone(&store), Arc::new(world), "bench");

    provision_one(&engine, &store).await;
    let (sql, connection) = config.connect(NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    let others = databases.saturating_sub(1).to_string();
    run(&sql, &MULTIPLY.replace("$count", &others)).await;

    let first = Instant::now();
    look(&engine).await;
    let first_s = first.elapsed().as_secs_f64();
    run(&sql, "VACUUM ANALYZE upkeep.maintenances").await;
    let planned = "SELECT count(*) FROM upkeep.maintenances WHERE started_at IS NULL";
    let planned: i64 = sql.query_one(planned, &[]).await.expect("a count").get(0);

    let (mut sweeps, mut reads) = (Vec::new(), Vec::new());
    for _ in 0..SWEEPS {
        let began = Instant::now();
        let standings = store.standings().await.expect("the store answers");
        reads.push(began.elapsed().as_secs_f64());
        assert_eq!(standings.len() as u64, databases);
        drop(standings);
        let began = Instant::now();
        look(&engine).await;
        sweeps.push(began.elapsed().as_secs_f64());
    }
    let figures = json!({
        "databases": databases,
        "planned": planned,
        "first_s": first_s,
        "sweep_s": median(sweeps),
        "read_s": median(reads),
        "memory_mb": peak_memory_mb(),
    });
    writeln!(io::stdout(), "{figures}").expect("stdout is open");
}

async fn provision_one(engine: &Engine, store: &Store) {
    let made = create_database(engine).await;
    let running = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run().await }
    });
    wait_for("it is provisioned", PROVISIONED_WITHIN, async || {
        let database = store.database(made.id).await.expect("the store answers");
        database.filter(|database| database.state == DatabaseState::Provisioned)
    })
    .await;
    running.abort();
    let _ = running.await;
}

async fn look(engine: &Engine) {
    engine.plan_all().await.expect("all are planned");
}

async fn run(sql: &Client, statements: &str) {
    sql.batch_execute(statements)
        .await
        .expect("the rows are there");
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Of this process, since it began.
fn peak_memory_mb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells of every process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    kb.and_then(|kb| kb.parse::<u64>().ok()).expect("a number") / 1024
}
