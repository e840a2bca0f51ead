//! What skipped minor releases demand, on the releases that demand it: objects are named, and nothing else is.

use serde::Deserialize;
use upkeep_testkit::releases_source;

use crate::direct::superuser;
use crate::world::World;

/// One of each kind that a move from 15.18 to 15.20 asks for, and some that look like one.
const MEANT: [&str; 8] = [
    "CREATE EXTENSION btree_gist; CREATE EXTENSION ltree; CREATE EXTENSION pg_trgm",
    "CREATE TABLE things (n int PRIMARY KEY, x float8, path ltree, code bpchar, words text[], said text)",
    "CREATE INDEX things_by_x ON things USING gist (x)",
    "CREATE INDEX things_by_path ON things (path)",
    "CREATE INDEX things_by_code ON things (code)",
    "CREATE INDEX things_by_words ON things USING gin (words)",
    "CREATE INDEX things_by_said ON things USING gist (said gist_trgm_ops)",
    "CREATE INDEX things_by_number ON things USING gist (n)",
];

#[derive(Debug, Deserialize)]
struct Report {
    actions: Vec<serde_json::Value>,
}

async fn demanded(world: &World) -> Vec<String> {
    let ask = [
        "data:maintenances:preflight",
        &world.database,
        "--release",
        "15-b",
    ];
    let ended = world
        .up
        .attempt(&[&ask[..], &["--json"]].concat())
        .await
        .unwrap();
    let report: Report = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    let actions = report.actions.iter();
    actions.map(ToString::to_string).collect()
}

/// F72, F73
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_minor_demands_is_named_and_a_clean_database_owes_nothing() {
    let sources = ["15.18", "15.20"].map(|version| {
        releases_source::find(version).expect("`cargo xtask test --faults` brings it")
    });
    let world = World::between(&sources).await;
    assert_eq!(demanded(&world).await, [""; 0]);
    superuser(&world, "ALTER SYSTEM SET wal_level = logical").await;
    assert_eq!(world.restart().await.outcome, "succeeded");
    for sql in MEANT {
        superuser(&world, sql).await;
    }
    // What is loaded by another name than those that are allowed by themselves.
    for (slot, plugin) in [("cdc", "$libdir/test_decoding"), ("plain", "test_decoding")] {
        let slot = format!("SELECT pg_create_logical_replication_slot('{slot}', '{plugin}')");
        superuser(&world, &slot).await;
    }
    let demanded = demanded(&world).await;
    eprintln!("{demanded:#?}");
    let names = |what: &str| demanded.iter().any(|action| action.contains(what));
    for named in [
        "things_by_x",
        "things_by_path",
        "things_by_code",
        "things_by_words",
        "things_by_said",
        "slot cdc",
    ] {
        assert!(names(named), "{named}: {demanded:#?}");
    }
    for not_meant in ["things_by_number", "things_pkey", "slot plain"] {
        assert!(!names(not_meant), "{not_meant}: {demanded:#?}");
    }
}
