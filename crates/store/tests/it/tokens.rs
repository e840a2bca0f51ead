//! Accounts and tokens: a token opens its account, and is itself nowhere.

use sha2::{Digest, Sha256};

use crate::{Fixture, id};

const TOKEN: &str = "UPK-6f1c-token-that-nobody-may-read-in-a-dump";

#[tokio::test]
async fn a_token_opens_its_account_and_stands_in_no_table() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let hash: [u8; 32] = Sha256::digest(TOKEN).into();
    store.add_token(id(), "a@example.com", &hash).await.unwrap();
    let account = store.account_by_token(&hash).await.unwrap().unwrap();
    assert_eq!(account.email, "a@example.com");
    let other: [u8; 32] = Sha256::digest("another").into();
    assert_eq!(store.account_by_token(&other).await.unwrap(), None);

    let sql = fixture.sql().await;
    let tables =
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'upkeep'";
    let mut dump = String::new();
    for table in sql.query(tables, &[]).await.unwrap() {
        let name: String = table.get(0);
        let rows = format!("SELECT to_jsonb(t)::text FROM upkeep.{name} t");
        for row in sql.query(&rows, &[]).await.unwrap() {
            dump.push_str(row.get(0));
        }
    }
    assert!(dump.contains("a@example.com"), "the dump holds the rows");
    assert!(!dump.contains(TOKEN));
    let bytes = sql
        .query_one("SELECT encode($1, 'hex')", &[&TOKEN.as_bytes()])
        .await
        .unwrap();
    let in_bytes: String = bytes.get(0);
    assert!(!dump.contains(&in_bytes));
}

#[tokio::test]
async fn an_account_may_have_several_tokens_and_is_made_once() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let first: [u8; 32] = Sha256::digest("first").into();
    let second: [u8; 32] = Sha256::digest("second").into();
    for hash in [first, second, first] {
        store.add_token(id(), "a@example.com", &hash).await.unwrap();
    }
    let account = store.account_by_token(&first).await.unwrap().unwrap();
    assert_eq!(
        store.account_by_token(&second).await.unwrap().unwrap(),
        account
    );
    assert_eq!(fixture.count("accounts").await, 1);
    assert_eq!(fixture.count("tokens").await, 2);
}
