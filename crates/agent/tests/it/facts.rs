//! What a maintenance has to know: hazards are made on a real server and are seen by name; where
//! there are none, none is seen.

use std::collections::BTreeMap;
use std::io::Write;

use tokio_postgres::Client;
use upkeep_domain::host_command::{Answer, HostCommand, HostQuery};
use upkeep_domain::id::InstanceId;
use upkeep_domain::preflight::{Facts, List};
use upkeep_domain::release::ReleaseName;
use upkeep_domain::release::knowledge::{Detector, demands};

use crate::world::{INSTALLED, World, wait_until};

/// All there are: whoever skips every minor of a major meets its own.
fn detectors() -> Vec<Detector> {
    let ways = [
        ("14.0", "14.24"),
        ("15.0", "15.20"),
        ("17.0", "17.12"),
        ("18.0", "18.7"),
    ];
    let mut all: Vec<Detector> = ways
        .iter()
        .flat_map(|(from, to)| demands(from.parse().unwrap(), to.parse().unwrap()))
        .map(|demand| demand.detector)
        .collect();
    all.sort();
    all.dedup();
    all
}

async fn facts(world: &World, instance: InstanceId, target: &ReleaseName) -> Facts {
    let query = HostQuery::Facts {
        instance,
        dbname: "postgres".to_owned(),
        target: Some(target.clone()),
        detectors: detectors(),
    };
    match world.agent.query(query).await.unwrap() {
        Answer::Facts { facts } => *facts,
        other => panic!("{other:?}"),
    }
}

fn found(facts: &Facts) -> BTreeMap<Detector, Vec<(&str, &str)>> {
    facts
        .findings
        .iter()
        .filter(|finding| finding.total > 0)
        .map(|finding| {
            let all = finding.found.iter();
            let pairs = all.map(|one| (one.object.as_str(), one.command.as_str()));
            (finding.detector, pairs.collect())
        })
        .collect()
}

async fn run(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql}: {error:?}");
    }
}

/// What only a restart brings into force.
async fn restarted(world: &World, instance: InstanceId) -> Client {
    let client = world.client(instance).await;
    // A decoder that PostgreSQL does not bring: a copy of one that it does, under another name.
    let decoder = world.data(instance).join("libs");
    std::fs::create_dir(&decoder).unwrap();
    std::fs::copy(
        format!("{INSTALLED}/lib/test_decoding.so"),
        decoder.join("wal2json.so"),
    )
    .unwrap();
    let path = format!(
        "ALTER SYSTEM SET dynamic_library_path = '$libdir:{}'",
        decoder.display()
    );
    run(&client, &path).await;
    for setting in [
        "wal_level = logical",
        "max_prepared_transactions = 5",
        "archive_mode = on",
        "archive_command = 'false'",
        "shared_preload_libraries = 'auto_explain'",
    ] {
        run(&client, &format!("ALTER SYSTEM SET {setting}")).await;
    }
    drop(client);
    world.done(HostCommand::StopInstance { instance }).await;
    world.done(HostCommand::StartInstance { instance }).await;
    world.client(instance).await
}

const TABLES: &str = r#"
    CREATE SCHEMA "Odd ""one";
    CREATE EXTENSION ltree; CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm; CREATE EXTENSION pgcrypto;
    CREATE UNLOGGED TABLE cache AS SELECT 1 AS a;
    CREATE UNLOGGED TABLE empty_cache (a int);
    CREATE TABLE "Odd ""one".t (n numeric, d date, i interval, f float8, b bpchar, c char(3), w text, de text COLLATE "de-x-icu",
                                path ltree, during tsrange, words int[], EXCLUDE USING gist (during WITH &&));
    SET search_path = "Odd ""one", public;
    CREATE INDEX bloom ON t USING brin (n numeric_bloom_ops);
    CREATE INDEX multi ON t USING brin (n numeric_minmax_multi_ops);
    CREATE INDEX dates ON t USING brin (d date_minmax_multi_ops);
    CREATE INDEX intervals ON t (i);
    CREATE INDEX padded ON t (b);
    CREATE INDEX fixed ON t (c);
    CREATE INDEX floats ON t USING gist (f);
    CREATE INDEX paths ON t (path);
    CREATE INDEX path_tree ON t USING gist (path);
    CREATE INDEX words ON t USING gin (words);
    CREATE INDEX trigrams ON t USING gist (w gist_trgm_ops);
    CREATE INDEX german ON t (de);
    RESET search_path;
    CREATE TABLE node (id int PRIMARY KEY, parent int) PARTITION BY RANGE (id);
    ALTER TABLE node ADD CONSTRAINT up FOREIGN KEY (parent) REFERENCES node;
    CREATE TABLE node_1 PARTITION OF node FOR VALUES FROM (0) TO (9);
    CREATE TABLE leaf (node int, CONSTRAINT to_node FOREIGN KEY (node) REFERENCES node);
"#;

/// What old bugs left behind, made by hand.
const LEFT_BEHIND: &str = r#"
    DELETE FROM pg_constraint WHERE conparentid = (SELECT oid FROM pg_constraint WHERE conname = 'to_node' AND conparentid = 0);
    UPDATE pg_proc SET provolatile = 's' WHERE oid IN (3261, 3262);
    UPDATE pg_class SET reltuples = 'NaN' WHERE oid = '"Odd ""one".t'::regclass;
    UPDATE pg_attribute SET attoptions = '{pg_attver=1}' WHERE attrelid = 'leaf'::regclass AND attname = 'node';
    UPDATE pg_collation SET collversion = '1' WHERE collname = 'de-x-icu';
    UPDATE pg_proc SET probin = '$libdir/postgis-3' WHERE proname = 'ltree_in';
    SET allow_system_table_mods = on;
    DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW pg_catalog.pg_stats_ext AS '
        || replace(pg_get_viewdef('pg_catalog.pg_stats_ext'::regclass), 'pg_has_role(c.relowner, ''USAGE''::text)', 'true'); END $$;
"#;

#[tokio::test]
async fn each_hazard_is_seen_by_name_and_a_clean_server_has_none() {
    let (world, release, instance) = World::with_primary().await;
    let clean = facts(&world, instance, &release).await;
    assert_clean(&clean);

    let client = restarted(&world, instance).await;
    run(&client, TABLES).await;
    let tablespace = "COPY (SELECT 1) TO PROGRAM 'mkdir space'";
    run(&client, tablespace).await;
    let place = world.data(instance).join("space");
    run(
        &client,
        &format!("CREATE TABLESPACE space LOCATION '{}'", place.display()),
    )
    .await;
    run(
        &client,
        "SELECT pg_create_logical_replication_slot('cdc', 'wal2json')",
    )
    .await;
    run(
        &client,
        "SELECT pg_create_physical_replication_slot('dr', true)",
    )
    .await;
    run(
        &client,
        "BEGIN; INSERT INTO cache VALUES (2); PREPARE TRANSACTION 'forgotten'",
    )
    .await;
    run(&client, LEFT_BEHIND).await;
    for setting in ["max_worker_processes = 2", "max_connections = 30"] {
        run(&client, &format!("ALTER SYSTEM SET {setting}")).await;
    }
    let conf = world.data(instance).join("postgresql.conf");
    let mut conf = std::fs::OpenOptions::new().append(true).open(conf).unwrap();
    conf.write_all(b"nonsense = 1\n").unwrap();
    // Archiving tries by itself: each segment fails until it is looked at.
    run(&client, "SELECT pg_switch_wal()").await;
    let mut seen = Facts::default();
    wait_until("archiving has failed", async || {
        seen = facts(&world, instance, &release).await;
        seen.archiving.failing.is_some()
    })
    .await;
    assert_hazards(&seen);
    assert_objects(&seen);
}

/// Values may be secrets, and whoever reads a letter needs the statement only.
#[tokio::test]
async fn who_has_a_transaction_open_is_told_by_a_statement_without_its_values() {
    let (world, release, instance) = World::with_primary().await;
    let client = world.client(instance).await;
    for (statement, told) in [
        (
            "SELECT 'hunter2',  'it''s', 42, 1.5 AS t1",
            "SELECT ?, ??, ?, ? AS t1",
        ),
        (
            "SELECT 'x' AS \"Odd \"\"one\"\n, length($1)",
            "SELECT ? AS \"Odd \"\"one\" , length($?)",
        ),
        ("SELECT E'it\\'s hunter2'", "SELECT ..."),
        ("SELECT $$hunter2$$", "SELECT ..."),
        ("SELECT 1 -- it's hunter2", "SELECT ..."),
        ("  SELECT 1 /* it's hunter2 */", "SELECT ..."),
    ] {
        run(&client, "BEGIN").await;
        if statement.contains("$1") {
            client.query(statement, &[&"hunter2"]).await.unwrap();
        } else {
            run(&client, statement).await;
        }
        let facts = facts(&world, instance, &release).await;
        let who = facts.oldest_transaction.unwrap().who;
        let end = format!("(idle in transaction: {told})");
        assert!(who.ends_with(&end), "{who}");
        run(&client, "ROLLBACK").await;
    }
}

fn assert_clean(facts: &Facts) {
    assert_eq!(found(facts), BTreeMap::new());
    for finding in &facts.findings {
        assert_eq!(finding.failed, None, "every detector can look");
    }
    assert_eq!(facts.findings.len(), detectors().len());
    let none = List::default();
    let expected = Facts {
        running: facts.running,
        floors: facts.floors.clone(),
        extensions: vec!["plpgsql".to_owned()],
        missing_libraries: Some(none),
        icu: facts.icu,
        relation_files: facts.relation_files,
        findings: facts.findings.clone(),
        ..Facts::default()
    };
    assert_eq!(facts, &expected);
    assert_eq!(facts.running.unwrap().major, 15);
    assert!(facts.relation_files > 500, "{}", facts.relation_files);
    assert!(facts.icu.present.is_some() && facts.icu.present == facts.icu.target);
    let connections = facts.floors.iter().find(|f| f.name == "max_connections");
    let connections = connections.unwrap();
    assert_eq!((connections.running, connections.on_file), (20, Some(20)));
    assert_eq!(facts.floors.len(), 5);
}

fn assert_hazards(facts: &Facts) {
    assert_eq!(facts.unlogged_tables.to_string(), "public.cache");
    let slots: Vec<_> = facts
        .slots
        .iter()
        .map(|slot| (slot.name.as_str(), slot.plugin.as_deref(), slot.active))
        .collect();
    let expected = [("cdc", Some("wal2json"), false), ("dr", None, false)];
    assert_eq!(slots, expected);
    assert!(facts.slots.iter().all(|slot| slot.wal_status.is_some()));
    let prepared: Vec<&str> = facts
        .prepared_transactions
        .iter()
        .map(|prepared| prepared.gid.as_str())
        .collect();
    assert_eq!(prepared, ["forgotten"]);
    assert_eq!(facts.tablespaces.to_string(), "space");
    let bypassing = facts.bypassing_sessions.to_string();
    assert!(
        bypassing.contains("upkeep (no application name"),
        "{bypassing}"
    );
    assert!(facts.archiving.on && facts.archiving.configured);
    let floor = |name: &str| {
        let all = facts.floors.iter();
        let mut named = all.filter(|floor| floor.name == name);
        named.next().map(|f| (f.running, f.on_file, f.by_system))
    };
    assert_eq!(floor("max_worker_processes"), Some((8, Some(2), true)));
    assert_eq!(floor("max_connections"), Some((20, Some(30), true)));
    let missing = facts.missing_libraries.as_ref().unwrap();
    assert_eq!(missing.to_string(), "$libdir/postgis-3");
    let collations: Vec<&str> = facts
        .outdated_collations
        .iter()
        .map(|collation| collation.name.as_str())
        .collect();
    assert_eq!(collations, ["pg_catalog.\"de-x-icu\""]);
    assert_eq!(facts.icu_indexes.to_string(), "\"Odd \"\"one\".german");
    let options: Vec<_> = facts
        .column_options
        .iter()
        .map(|option| (option.name.as_str(), option.columns))
        .collect();
    assert_eq!(options, [("pg_attver", 1)]);
    for extension in ["ltree", "pg_trgm", "pgcrypto"] {
        assert!(facts.extensions.iter().any(|name| name == extension));
    }
}

fn assert_objects(facts: &Facts) {
    let found = found(facts);
    let reindex = |index: &str| format!("REINDEX INDEX CONCURRENTLY \"Odd \"\"one\".{index}");
    for (detector, index) in [
        (Detector::BrinBloomIndex, "bloom"),
        (Detector::BrinMinmaxMultiNumericIndex, "multi"),
        (Detector::BrinMinmaxMultiTimeIndex, "dates"),
        (Detector::BtreeIntervalIndex, "intervals"),
        (Detector::BtreeBpcharIndex, "padded"),
        (Detector::BtreeGistIndex, "floats"),
        (Detector::LtreeBtreeIndex, "paths"),
        (Detector::LtreeGistIndex, "path_tree"),
        (Detector::GinIndex, "words"),
        (Detector::TrigramGistIndex, "trigrams"),
    ] {
        let object = format!("\"Odd \"\"one\".{index}");
        let command = reindex(index);
        let expected = vec![(object.as_str(), command.as_str())];
        assert_eq!(found.get(&detector), Some(&expected), "{detector:?}");
    }
    let count = |detector| found.get(&detector).map(Vec::len);
    assert_eq!(count(Detector::BrinIndex), Some(3));
    assert_eq!(
        count(Detector::GistIndex),
        Some(4),
        "with that of the exclusion constraint"
    );
    assert_eq!(count(Detector::LtreeIndex), Some(2));
    let command = |detector| found[&detector][0].1.to_owned();
    let gist: Vec<&str> = found[&Detector::GistIndex]
        .iter()
        .map(|one| one.1)
        .collect();
    assert!(
        gist.contains(&"REINDEX INDEX \"Odd \"\"one\".t_during_excl"),
        "an exclusion constraint cannot be rebuilt concurrently: {gist:?}"
    );
    assert_eq!(
        command(Detector::OutputPlugin),
        "ALTER SYSTEM SET output_plugin_libraries = 'pgoutput', 'test_decoding', 'wal2json'; SELECT pg_reload_conf()"
    );
    assert_eq!(found[&Detector::OutputPlugin][0].0, "slot cdc");
    assert_eq!(
        command(Detector::SelfReferencingForeignKey),
        "ALTER TABLE public.node DROP CONSTRAINT up, ADD CONSTRAINT up FOREIGN KEY (parent) REFERENCES public.node(id)"
    );
    assert_eq!(
        command(Detector::DetachedForeignKey),
        "ALTER TABLE public.leaf DROP CONSTRAINT to_node, ADD CONSTRAINT to_node FOREIGN KEY (node) REFERENCES public.node(id)"
    );
    assert_eq!(count(Detector::DetachedForeignKey), Some(1));
    assert_eq!(
        command(Detector::GinRowEstimate),
        "ANALYZE \"Odd \"\"one\".t"
    );
    assert!(command(Detector::JsonStripNulls).starts_with("UPDATE pg_catalog.pg_proc"));
    assert!(command(Detector::StatisticsViews).contains("fix-CVE-2024-4317.sql"));
    assert!(command(Detector::AnyIndex).starts_with("REINDEX DATABASE CONCURRENTLY postgres"));
    assert_eq!(found[&Detector::Pgcrypto][0].0, "extension pgcrypto");
    assert_eq!(found[&Detector::ForeignLibrary][0].0, "$libdir/postgis-3");
    assert_eq!(count(Detector::IncrementalBackup), None, "not before 17");
    assert_eq!(count(Detector::TextIndexUnderCCtype), None);
    for finding in &facts.findings {
        assert_eq!(finding.failed, None);
    }
}
