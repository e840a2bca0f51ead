//! Bringing tables up to date: once, whoever comes, and never backwards.

use upkeep_store::{Error, LATEST_MIGRATION, Store};

use crate::{Fixture, open, server};

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
