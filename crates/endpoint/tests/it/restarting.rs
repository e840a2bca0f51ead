//! An endpoint that starts again knows its routes, and what it must not do.

use std::time::Duration;

use upkeep_domain::hold::GateState;
use upkeep_domain::host_command::Fence;
use upkeep_domain::id::InstanceId;
use upkeep_domain::ports::{Traffic, TrafficError};

use crate::world::{DBNAME, FENCE, World, connect, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn routes_and_fences_survive_a_restart() {
    let mut world = World::new().await;
    let gone = world.connect().await;
    world.restart_endpoint().await;
    assert!(gone.query_one("SELECT 1", &[]).await.is_err());
    world
        .connect()
        .await
        .query_one("SELECT 1", &[])
        .await
        .unwrap();
    let stale = TrafficError::Stale {
        sent: Fence(6),
        seen: FENCE,
    };
    let target = world.primary.target().await;
    assert_eq!(world.route(&target, Fence(6)).await, Err(stale));
    world.endpoint.forget(DBNAME, FENCE).await.unwrap();
    world.restart_endpoint().await;
    let Err(error) = world.connect_as("ann", "secret", DBNAME).await else {
        panic!("let in")
    };
    assert_eq!(error.code().unwrap().code(), "3D000");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_sealed_hold_new_clients_wait_until_it_is_said_where_they_go() {
    let mut world = World::new().await;
    world.hold_all().await;
    world.endpoint.seal(DBNAME, FENCE).await.unwrap();
    world.restart_endpoint().await;
    assert_eq!(
        world.endpoint.renew(DBNAME, FENCE).await,
        Ok(GateState::Sealed)
    );

    let newcomer = tokio::spawn(connect(world.address, "ann", "secret", DBNAME));
    wait_until("it waits", Duration::from_secs(2), async || {
        world.status().await.waiting == 1
    })
    .await;
    // The route that is known says nothing new; another instance does.
    let mut target = world.primary.target().await;
    world.route(&target, FENCE).await.unwrap();
    assert_eq!(world.status().await.gate, GateState::Sealed);
    target.instance = InstanceId(uuid::Uuid::from_u128(3));
    world.route(&target, Fence(8)).await.unwrap();
    newcomer
        .await
        .unwrap()
        .unwrap()
        .query_one("SELECT 1", &[])
        .await
        .unwrap();

    world.restart_endpoint().await;
    world
        .connect()
        .await
        .query_one("SELECT 1", &[])
        .await
        .unwrap();
}
