//! Sessions that stand in the way, and sessions that cannot be taken along.

use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::world::{World, other};
use crate::{left, load};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_a_transaction_that_does_not_end_is_named_and_put_off_until_it_has_ended() {
    let world = World::new().await;
    let load = load::start(&world).await;
    let from = world.release().await;
    let idler = world.connect().await;
    let table = "CREATE TABLE idled(what text)";
    idler.batch_execute(table).await.unwrap();
    // Younger than what is waited for beforehand, and then longer than the drain, at every try.
    let running = world.begin_and_stop_at("check_again", "after_commit").await;
    let open = "BEGIN; INSERT INTO idled VALUES ('in the middle')";
    idler.batch_execute(open).await.unwrap();
    world.up.look_again().unwrap();

    let ending = world.ending(running).await;
    assert_eq!(ending.outcome, "rolled_back", "{ending:?}");
    let named = "sessions did not reach a transaction boundary";
    assert!(ending.because.contains(named), "{ending:?}");
    assert!(ending.because.contains("in a transaction"), "{ending:?}");
    left::nothing_but_the_primary(&world, &from).await;
    load::unharmed(&load, "five tries to hold");

    idler.batch_execute("COMMIT").await.unwrap();
    assert_eq!(world.change_over().await.outcome, "succeeded");
    let rows = idler.query("SELECT what FROM idled", &[]).await.unwrap();
    assert_eq!(rows.len(), 1, "and the session itself was carried over");
    left::nothing_but_the_primary(&world, other(&from)).await;
    load::promise_held(load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switch_sessions_that_cannot_be_carried_whole_are_counted_with_the_reason() {
    let world = World::new().await;
    let config: tokio_postgres::Config = world.url.parse().unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let table = "CREATE TEMPORARY TABLE mine(what text)";
    client.batch_execute(table).await.unwrap();
    let untouched = world.connect().await;
    let unnamed = world.connect().await;
    let hidden = "SELECT set_config('app.' || 'tenant', '1', false)";
    unnamed.batch_execute(hidden).await.unwrap();

    let ending = world.change_over().await;
    assert_eq!(ending.outcome, "succeeded", "{ending:?}");
    let last_word = connection.await.unwrap().unwrap_err();
    assert_eq!(last_word.code(), Some(&SqlState::ADMIN_SHUTDOWN));
    let felt = ending.run.felt.expect("the endpoint was there");
    let closed: Vec<_> = felt.sessions_closed.into_iter().collect();
    assert_eq!(closed, [("temporary objects".to_owned(), 1)]);
    let at_risk: Vec<_> = felt.sessions_at_risk.into_iter().collect();
    let settings = "custom settings whose names are not known";
    assert_eq!(at_risk, [(settings.to_owned(), 1)]);
    for moved in [untouched, unnamed] {
        moved.batch_execute("SELECT 1").await.unwrap();
    }
}
