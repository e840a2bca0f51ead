//! A statement on the primary itself, past the endpoint, as whoever runs Upkeep may say it.

use upkeep_testkit::up::RunningInstance;

use crate::world::{World, connect};

pub(crate) async fn primary(world: &World) -> RunningInstance {
    world.primary().await.expect("the primary runs")
}

pub(crate) async fn superuser(world: &World, sql: &str) {
    superuser_of(world, &primary(world).await, sql).await;
}

/// The same on any server of the database.
pub(crate) async fn superuser_of(world: &World, server: &RunningInstance, sql: &str) {
    let client = connect(&world.direct(server)).await.unwrap();
    client.batch_execute(sql).await.unwrap();
}

pub(crate) async fn show(world: &World, name: &str) -> String {
    ask(world, &format!("SHOW {name}")).await
}

/// One text from the primary, past the endpoint.
pub(crate) async fn ask(world: &World, sql: &str) -> String {
    let client = connect(&world.direct(&primary(world).await)).await.unwrap();
    client.query_one(sql, &[]).await.unwrap().get(0)
}
