//! Bringing tables up to date: once, whoever comes, and never backwards.

use std::fmt::Write as _;
use std::fs;

use camino::Utf8Path;
use tokio_postgres::NoTls;
use upkeep_domain::id::AppId;
use upkeep_store::{Error, LATEST_MIGRATION, Store};
use upkeep_testkit::postgres::ThrowAway;
use uuid::Uuid;

use crate::{Fixture, attachment, open, server};

#[tokio::test]
async fn what_is_up_to_date_is_left_alone() {
    let fixture = Fixture::new().await;
    let (database, _) = fixture.provisioning().await;
    let again = open(&fixture.server).await;
    assert!(again.database(database.id).await.unwrap().is_some());
    assert_eq!(
        fixture.count("migrations").await,
        i64::from(LATEST_MIGRATION)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_that_start_together_migrate_once() {
    let server = server().await;
    let opened: Vec<_> = (0..8)
        .map(|_| tokio::spawn(Store::open(server.direct("postgres"))))
        .collect();
    for one in opened {
        one.await.unwrap().expect("each of them opens");
    }
    let fixture = Fixture {
        store: open(&server).await,
        server,
    };
    assert_eq!(
        fixture.count("migrations").await,
        i64::from(LATEST_MIGRATION)
    );
}

#[tokio::test]
async fn tables_of_a_newer_program_are_refused_and_left_as_they_are() {
    let fixture = Fixture::new().await;
    let newer = LATEST_MIGRATION + 1;
    let sql = fixture.sql().await;
    sql.execute(
        "INSERT INTO upkeep.migrations (version) VALUES ($1)",
        &[&newer],
    )
    .await
    .unwrap();
    let refused = Store::open(fixture.server.direct("postgres")).await.err();
    assert!(
        matches!(refused, Some(Error::Newer { found, known }) if found == newer && known == LATEST_MIGRATION),
        "{refused:?}"
    );
    assert_eq!(fixture.count("migrations").await, i64::from(newer));
}

#[tokio::test]
async fn nothing_is_made_outside_of_its_own_schema() {
    let fixture = Fixture::new().await;
    let sql = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public'";
    let row = fixture.sql().await.query_one(sql, &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

/// The tables as they were before the migration of this name, with `rows` in them.
async fn before(server: &ThrowAway, migration: &str, rows: &str) {
    let dir = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<_> = dir
        .read_dir_utf8()
        .expect("the migrations are listed")
        .map(|file| file.expect("a file is listed").into_path())
        .filter(|file| file.file_name().is_some_and(|name| name < migration))
        .collect();
    files.sort();
    let mut sql = "CREATE SCHEMA upkeep; CREATE TABLE upkeep.migrations (
        version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());"
        .to_owned();
    for (version, file) in (1..).zip(files) {
        sql += &fs::read_to_string(file).expect("a migration is read");
        writeln!(
            sql,
            "INSERT INTO upkeep.migrations (version) VALUES ({version});"
        )
        .expect("a String takes every write");
    }
    let connected = server.direct("postgres").connect(NoTls).await;
    let (client, connection) = connected.expect("the server accepts connections");
    tokio::spawn(connection);
    let made = client.batch_execute(&(sql + rows)).await;
    made.expect("the tables are made");
}

#[tokio::test]
async fn names_that_databases_had_become_attachments_and_versions_of_their_apps() {
    let server = server().await;
    let uuid = |n: u32| Uuid::from_u128(u128::from(n));
    let mut rows = String::new();
    for (app, name) in [(1, "shop"), (2, "blog")] {
        let id = uuid(app);
        writeln!(
            rows,
            "INSERT INTO upkeep.apps (id, name) VALUES ('{id}', '{name}');"
        )
        .unwrap();
    }
    for (database, app, name, state) in [
        (11, 1, "DATABASE", "provisioned"),
        (12, 1, "HEROKU_POSTGRESQL_AMBER", "provisioning"),
        (13, 1, "HEROKU_POSTGRESQL_AQUA", "deprovisioning"),
        (14, 1, "DATABASE", "failed"),
    ] {
        let (id, app) = (uuid(database), uuid(app));
        writeln!(
            rows,
            "INSERT INTO upkeep.databases (id, app_id, name, plan, attachment, dbname, server_dbname, credential, state, created_at)
             VALUES ('{id}', '{app}', 'database-{database}', 'standard-0', '{name}', 'd{database}', 'd{database}',
                     '{{\"role\": \"u\", \"password\": \"p\", \"verifier\": \"v\"}}', '{state}',
                     now() + interval '{database} seconds');"
        )
        .unwrap();
    }
    before(&server, "0006_attachments.sql", &rows).await;
    let store = open(&server).await;
    let there = store.databases().await.unwrap();
    let names = there.iter().map(|database| {
        let names = database.attachments.iter();
        names.map(|one| one.name.as_str()).collect::<Vec<_>>()
    });
    let expected = [vec!["DATABASE"], vec!["HEROKU_POSTGRESQL_AMBER"], vec![]];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let versions = async |app| -> Vec<(u32, String)> {
        let versions = store.app_versions(AppId(uuid(app))).await.unwrap();
        let told = versions.into_iter();
        told.map(|one| (one.version, one.description)).collect()
    };
    let told = |version, what: &str| (version, what.to_owned());
    let shop = [
        told(3, "Attach HEROKU_POSTGRESQL_AMBER (@ref:database-12)"),
        told(2, "Attach DATABASE (@ref:database-11)"),
        told(1, "Initial release"),
    ];
    assert_eq!(versions(1).await, shop);
    assert_eq!(versions(2).await, [told(1, "Initial release")]);

    // And what is told next goes on from there.
    let attachments = &there[1].attachments;
    let alias = attachment(AppId(uuid(1)), there[1].id, "ALIAS");
    assert!(store.attach(&alias, None).await.unwrap());
    assert!(store.detach(attachments[0].id).await.unwrap());
    assert_eq!(versions(1).await[0].0, 5);
}
